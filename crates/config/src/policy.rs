//! What a neighbour is told about routes beside the prefix: always, and more of it while they are to be less
//! preferred.
//!
//! A neighbour prefers by LOCAL_PREF first, which only the neighbour itself or a router of our own AS sets. Towards
//! another AS the sure way is a community by which it lowers LOCAL_PREF; prepends and MED decide only between routes
//! that are equal up to there. Within our AS we say LOCAL_PREF ourselves.

use crate::peer::Blackhole;
use bgp::session::PeerKind;
use document::{Document, Spanned, Table, Value};
use std::collections::BTreeSet;
use std::ops::Range;
use std::str::FromStr;
use terms::{Community, CommunityError, ExtendedCommunity, LargeCommunity, PeerName};

/// What one neighbour is told about every route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// At every level.
    pub always: Labels,
    /// Added while a route is to be less preferred: more prepends and communities, and its own MED and LOCAL_PREF
    /// in place of those of `always`.
    pub deprefer: Labels,
    /// How it is asked to drop traffic; none: it is never told of a blackhole.
    pub blackhole: Option<Blackhole>,
}

/// What is said about a route beside the prefix and its next hop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Further copies of our AS number in the path.
    pub prepend: u8,
    /// MULTI_EXIT_DISC: lower is preferred among routes from one neighbour AS.
    pub med: Option<u32>,
    /// LOCAL_PREF: higher is preferred; said within our AS only.
    pub local_pref: Option<u32>,
    /// Standard communities.
    pub communities: BTreeSet<Community>,
    /// Extended communities.
    pub extended_communities: BTreeSet<ExtendedCommunity>,
    /// Large communities.
    pub large_communities: BTreeSet<LargeCommunity>,
}

impl Policy {
    /// Prepends of a route that is to be less preferred, where the file does not say.
    pub const DEPREFER_PREPEND: u8 = 3;
    /// The worst MED.
    pub const DEPREFER_MED: u32 = u32::MAX;
    /// LOCAL_PREF within our AS where the file does not say: what every router assumes.
    pub const LOCAL_PREF: u32 = 100;
}

/// Most copies of our AS number: longer paths are refused by many networks.
const MOST_PREPENDS: u8 = 16;

/// Reads the policy of one neighbour, blackholes aside; none where the kind of its session is not known.
pub(crate) fn read(table: &Table, kind: Option<PeerKind>) -> Option<Policy> {
    let always = Given::read(table, kind);
    let deprefer = table.optional("deprefer");
    let less = deprefer.table().map(|table| Given::read(&table, kind)).unwrap_or_default();
    let policy = match kind? {
        PeerKind::External => external(&always, &less),
        PeerKind::Internal => internal(&always, &less),
    };
    refuse_more_preferred(table, &policy, &always, &less);
    Some(policy)
}

fn external(always: &Given, less: &Given) -> Policy {
    let mut deprefer = less.labels();
    if less.prepend.is_none() {
        deprefer.prepend = Policy::DEPREFER_PREPEND;
    }
    deprefer.med.get_or_insert(Policy::DEPREFER_MED);
    Policy { always: always.labels(), deprefer, blackhole: None }
}

fn internal(always: &Given, less: &Given) -> Policy {
    let (mut always, mut deprefer) = (always.labels(), less.labels());
    let local_pref = *always.local_pref.get_or_insert(Policy::LOCAL_PREF);
    deprefer.local_pref.get_or_insert(local_pref / 2);
    deprefer.med.get_or_insert(Policy::DEPREFER_MED);
    Policy { always, deprefer, blackhole: None }
}

/// Warns where nothing that the neighbour is told makes it prefer another route for sure.
pub(crate) fn warn_of_weakness(document: &Document, peer: &PeerName, policy: &Policy, span: Range<usize>) {
    let Labels { communities, extended_communities, large_communities, local_pref, .. } = &policy.deprefer;
    let has_community =
        !(communities.is_empty() && extended_communities.is_empty() && large_communities.is_empty());
    if has_community || local_pref.is_some() {
        return;
    }
    let message = format!(
        "peer `{peer}` may go on preferring this site while it drains or is held: prepends alone lose to LOCAL_PREF, \
         and MED counts within one neighbour AS"
    );
    let hint = "add deprefer = { communities = [\"ASN:VALUE\"] } with the community by which this peer lowers \
                LOCAL_PREF";
    document.warn(span, message, hint);
}

/// What a table says of labels, and where.
#[derive(Default)]
struct Given {
    prepend: Option<Spanned<u8>>,
    med: Option<Spanned<u32>>,
    local_pref: Option<Spanned<u32>>,
    communities: Vec<Spanned<Label>>,
}

/// A community of any of the three kinds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Label {
    Standard(Community),
    Extended(ExtendedCommunity),
    Large(LargeCommunity),
}

impl FromStr for Label {
    type Err = CommunityError;
    fn from_str(text: &str) -> Result<Self, CommunityError> {
        if text.starts_with("0x") {
            return text.parse().map(Label::Extended);
        }
        match text.matches(':').count() {
            2 => text.parse().map(Label::Large),
            _ => text.parse().map(Label::Standard),
        }
    }
}

impl Given {
    fn read(table: &Table, kind: Option<PeerKind>) -> Self {
        let [prepend, med, local_pref, communities] =
            ["prepend", "med", "local_pref", "communities"].map(|key| table.optional(key));
        match kind {
            Some(PeerKind::Internal) => {
                let why = "a path that names our own AS looks like a loop within it";
                refuse(&prepend, why, "use `local_pref`");
            }
            Some(PeerKind::External) => {
                let why = "LOCAL_PREF is not told to another AS (RFC 4271 section 5.1.5)";
                refuse(&local_pref, why, "name the community by which the peer lowers its own");
            }
            None => {}
        }
        let communities = communities.parse_list();
        communities.iter().for_each(|label| refuse_reserved(table.document(), label));
        Given {
            prepend: prepend.number_in(0..=MOST_PREPENDS),
            med: med.number_in(0..=u32::MAX),
            local_pref: local_pref.number_in(0..=u32::MAX),
            communities,
        }
    }

    fn labels(&self) -> Labels {
        Labels {
            prepend: self.prepend.as_ref().map_or(0, |prepend| prepend.value),
            med: self.med.as_ref().map(|med| med.value),
            local_pref: self.local_pref.as_ref().map(|local_pref| local_pref.value),
            ..Labels::of(self.communities.iter().map(|label| label.value))
        }
    }
}

impl Labels {
    /// These communities and nothing else.
    pub(crate) fn of(communities: impl IntoIterator<Item = Label>) -> Self {
        let mut labels = Labels::default();
        for label in communities {
            match label {
                Label::Standard(community) => drop(labels.communities.insert(community)),
                Label::Extended(community) => drop(labels.extended_communities.insert(community)),
                Label::Large(community) => drop(labels.large_communities.insert(community)),
            }
        }
        labels
    }
}

fn refuse(value: &Value, why: &str, hint: &str) {
    if value.is_given() {
        value.document().fault_with_hint(value.key_span(), why, hint);
    }
}

/// Communities whose meaning would take a healthy site off the Internet, or that the daemon says itself.
fn refuse_reserved(document: &Document, label: &Spanned<Label>) {
    refuse_graceful_shutdown(document, label);
    if label.value == Label::Standard(Community::BLACKHOLE) {
        let message = "65535:666 has the peer drop everything that is sent to the service (RFC 7999)";
        let hint = "leave it out; `blackhole = true` lets an operator say it about a single address";
        document.fault_with_hint(label.span.clone(), message, hint);
    }
}

/// Refuses 65535:0, which only the daemon says.
pub(crate) fn refuse_graceful_shutdown(document: &Document, label: &Spanned<Label>) {
    if label.value == Label::Standard(Community::GRACEFUL_SHUTDOWN) {
        let message = "65535:0 says that the site is about to go away (RFC 8326)";
        let hint = "leave it out: it is added by itself while a group drains or is held";
        document.fault_with_hint(label.span.clone(), message, hint);
    }
}

/// What is called less preferred must be so.
fn refuse_more_preferred(table: &Table, policy: &Policy, always: &Given, less: &Given) {
    let at = |written: [&Option<Spanned<u32>>; 2]| {
        let first = written.into_iter().flatten().next();
        first.map_or(table.span(), |written| written.span.clone())
    };
    if let (Some(normal), Some(worse)) = (policy.always.med, policy.deprefer.med)
        && worse <= normal
    {
        let message = format!("a MED of {worse} is not less preferred than {normal}");
        let hint = "the higher MED is less preferred: raise that of `deprefer`";
        table.document().fault_with_hint(at([&less.med, &always.med]), message, hint);
    }
    if let (Some(normal), Some(lower)) = (policy.always.local_pref, policy.deprefer.local_pref)
        && !(1..normal).contains(&lower)
    {
        let message = format!("a LOCAL_PREF of {lower} does not lie between 0 and {normal}");
        let hint = "the lower LOCAL_PREF is less preferred; 0 is said while a group drains or is held";
        let span = at([&less.local_pref, &always.local_pref]);
        table.document().fault_with_hint(span, message, hint);
    }
}
