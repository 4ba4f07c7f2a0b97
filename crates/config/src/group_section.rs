//! `[[group]]`: which services go up and down together, and by which rules.

use crate::drain;
use crate::fold::WrittenFold;
use crate::peer::{Peer, Relation};
use crate::site::Site;
use crate::unique::Unique;
use announce::{Backoff, BlindPolicy, Drain, Fold, Settings};
use document::{Document, Spanned, Table, Value};
use std::ops::Range;
use std::time::Duration;
use terms::{GroupName, ServiceName};

/// One `[[group]]` of the file.
#[derive(Clone, Debug)]
pub(crate) struct GroupSection {
    /// Its name; that of its first service where the file does not say.
    pub(crate) name: Option<Spanned<GroupName>>,
    /// The services that it names.
    pub(crate) services: Vec<Spanned<ServiceName>>,
    pub(crate) rules: Rules,
    /// Where its table begins.
    pub(crate) span: Range<usize>,
}

/// The rules of one group.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) fold: Fold,
    pub(crate) never_withdraw: bool,
    pub(crate) blind: BlindPolicy,
    pub(crate) blind_after: Duration,
    pub(crate) drain: Drain,
    pub(crate) backoff: Backoff,
}

const LONGEST: Duration = Duration::from_secs(24 * 3600);

const BLIND: [(&str, BlindPolicy); 2] = [("alarm", BlindPolicy::Alarm), ("deprefer", BlindPolicy::Deprefer)];

impl Rules {
    /// What holds for a group that the file says nothing about.
    pub(crate) fn of(site: Option<&Site>, peers: &[Spanned<Peer>]) -> Self {
        Rules {
            fold: Fold::All,
            never_withdraw: false,
            blind: BlindPolicy::Alarm,
            blind_after: site.map_or(Settings::BLIND_AFTER, |site| site.blind_after),
            drain: site.map_or(Drain::DEFAULT, |site| site.drain),
            backoff: backoff_towards(peers),
        }
    }
}

/// A transit provider may damp a route that flaps, so a group that it hears of returns more slowly.
fn backoff_towards(peers: &[Spanned<Peer>]) -> Backoff {
    let transit = peers.iter().any(|peer| peer.relation == Relation::Transit);
    if transit { Backoff::TRANSIT } else { Backoff::DEFAULT }
}

/// Every group that the file writes down; none if one of them names no service.
pub(crate) fn read_all(value: &Value, otherwise: &Rules) -> Option<Vec<GroupSection>> {
    let mut names = Unique::new("group name");
    let mut claimed = Unique::new("service");
    value.each(|table| {
        let section = read(table, otherwise)?;
        section.name.iter().for_each(|name| names.see(table.document(), name));
        section.services.iter().for_each(|service| claimed.see(table.document(), service));
        Some(section)
    })
}

fn read(table: &Table, otherwise: &Rules) -> Option<GroupSection> {
    let name = table.optional("name").parse();
    let value = table.required("services");
    let services: Vec<Spanned<ServiceName>> = value.parse_list();
    if value.is_empty_list() {
        table.document().fault(value.span(), "a group needs at least one service");
    }
    let fold = table.optional("fold").parse::<WrittenFold>();
    let blind_after = table.optional("blind_after").duration_in(Site::BLIND_AFTERS);
    let rules = Rules {
        fold: fold.map_or(Some(otherwise.fold), |fold| k_of_n(table.document(), &fold, services.len()))?,
        never_withdraw: table.optional("never_withdraw").flag().is_some_and(|flag| flag.value),
        blind: table.optional("blind").one_of(&BLIND).map_or(otherwise.blind, |blind| blind.value),
        blind_after: blind_after.map_or(otherwise.blind_after, |blind_after| blind_after.value),
        drain: drain::read(table, otherwise.drain),
        backoff: backoff(&table.optional("backoff"), otherwise.backoff),
    };
    (!services.is_empty()).then(|| GroupSection { name, services, rules, span: table.span() })
}

/// The fold, if it counts the services right.
fn k_of_n(document: &Document, fold: &Spanned<WrittenFold>, services: usize) -> Option<Fold> {
    let (least, all) = match fold.value {
        WrittenFold::All => return Some(Fold::All),
        WrittenFold::Any => return Some(Fold::Any),
        WrittenFold::Of { least, all } => (least, all),
    };
    let wrong = if usize::try_from(all) != Ok(services) {
        format!("`services` has {services}, not {all}")
    } else if least.get() > all {
        format!("{least} of {all} can never be well")
    } else {
        return Some(Fold::AtLeast(least));
    };
    document.fault_with_hint(fold.span.clone(), wrong, "the second number counts `services`");
    None
}

fn backoff(value: &Value, otherwise: Backoff) -> Backoff {
    let Some(table) = value.table() else { return otherwise };
    let [base, cap, forgiven_after] = ["base", "cap", "forgiven_after"]
        .map(|key| table.optional(key).duration_in(Duration::ZERO..=LONGEST).map(|time| time.value));
    let backoff = Backoff {
        base: base.unwrap_or(otherwise.base),
        cap: cap.unwrap_or(otherwise.cap),
        forgiven_after: forgiven_after.unwrap_or(otherwise.forgiven_after),
    };
    if backoff.cap < backoff.base {
        let message = format!("the cap {:?} is shorter than the base {:?}", backoff.cap, backoff.base);
        let hint = "the first failure costs `base`, each further one twice as much, at most `cap`";
        table.document().fault_with_hint(value.span(), message, hint);
    }
    backoff
}
