//! `catalog = true` of `[[service.dns.zone]]`: a zone that lists others, which are served, too (RFC 9432).

use crate::zone_transfers::{KnownKeys, Server, ZoneTransfers, key, policy, servers};
use document::{Table, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use terms::DomainName;
use transfer::{Key, Policy};

/// Default of `most_members`. Each takes a task, a file and some memory.
const MOST_MEMBERS: usize = 10_000;
/// More is never taken: whenever one of them comes, what is served is put together of all.
const MOST_MEMBERS_EVER: usize = 100_000;

/// What is made of the zones that a catalog lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// How they are treated.
    pub members: Members,
    /// How those of a group are treated.
    pub groups: BTreeMap<String, Members>,
    /// How many zones it may list; a version that lists more is not followed.
    pub most_members: usize,
    /// How many zones one version may take away; none: a few, and never all.
    pub most_removed: Option<usize>,
}

/// How zones that a catalog lists come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    /// Where they come from, in the order in which they are asked.
    pub primaries: Vec<Server>,
    /// Who may have them.
    pub allow: Policy,
    /// Who is told when one has changed.
    pub notify: Vec<Server>,
}

impl Catalog {
    /// How a zone of that group comes and goes.
    pub fn transfers(&self, zone: &DomainName, group: Option<&str>) -> ZoneTransfers {
        let members = group.and_then(|group| self.groups.get(group)).unwrap_or(&self.members).clone();
        let Members { primaries, allow, notify } = members;
        ZoneTransfers { zone: zone.clone(), primaries, allow, notify }
    }

    /// The groups that are treated in a way of their own.
    pub fn group_names(&self) -> BTreeSet<String> {
        self.groups.keys().cloned().collect()
    }
}

/// The key of a table; an error where it is faulty, which was told.
type ReadKey<'k> = Result<&'k Option<Arc<Key>>, &'k ()>;

/// What a zone's table says about its members; nothing inside where it is no catalog. `own_key` and `primaries` are those
/// of the catalog itself, nothing where they are faulty.
pub(crate) fn read(
    table: &Table,
    keys: KnownKeys<'_>,
    own_key: ReadKey<'_>,
    primaries: Option<&[Server]>,
) -> Option<Option<Catalog>> {
    let flag = table.optional("catalog");
    let is_catalog = if flag.is_given() { flag.flag()?.value } else { false };
    let members = table.optional("members");
    let (most_members, most_removed) = (table.optional("most_members"), table.optional("most_removed"));
    if !is_catalog {
        let given = [&members, &most_members, &most_removed].into_iter().find(|value| value.is_given());
        let Some(value) = given else { return Some(None) };
        let message = "only a catalog has members";
        table.document().fault_with_hint(value.key_span(), message, "add catalog = true, or remove this");
        return None;
    }
    let most_members = match most_members.is_given() {
        true => most_members.number_in(1..=MOST_MEMBERS_EVER).map(|number| number.value),
        false => Some(MOST_MEMBERS),
    };
    let most_removed = match most_removed.is_given() {
        true => most_removed.number_in(0..=MOST_MEMBERS_EVER).map(|number| Some(number.value)),
        false => Some(None),
    };
    let read = members.each(|table| group(table, keys, own_key, primaries));
    let (members, groups) = sorted(table, &members, read?, primaries?)?;
    Some(Some(Catalog { members, groups, most_members: most_members?, most_removed: most_removed? }))
}

/// One table of `members`, and its group if it is for one.
fn group(
    table: &Table,
    keys: KnownKeys<'_>,
    own_key: ReadKey<'_>,
    of_catalog: Option<&[Server]>,
) -> Option<(Option<String>, Members)> {
    let name = table.optional("group");
    let (primaries, notify) = (table.optional("primaries"), table.optional("notify"));
    let written = table.optional("key");
    let read = key(&written, keys);
    // Messages are not sent unsigned because somebody has not said it twice.
    let key = if written.is_given() { read.as_ref() } else { own_key };
    if written.is_given() && !primaries.is_given() && !notify.is_given() {
        let message = "this key signs nothing: the primaries of the catalog are asked with the catalog's";
        let hint = "add `primaries` or `notify`, or remove the key";
        table.document().fault_with_hint(written.key_span(), message, hint);
        return None;
    }
    let theirs = servers(&primaries, key);
    let notify = servers(&notify, key);
    let allow = policy(&table.optional("allow_transfer"), keys);
    let group = match name.is_given() {
        true => Some(group_name(&name)?),
        false => None,
    };
    let primaries = match primaries.is_given() {
        true => theirs?,
        false => of_catalog?.to_vec(),
    };
    if primaries.is_empty() {
        let message = "nothing says where these zones come from";
        table.document().fault_with_hint(table.span(), message, "add `primaries`");
        return None;
    }
    Some((group, Members { primaries, allow: allow?, notify: notify? }))
}

/// What a TXT record of a `group` property says (RFC 9432 section 4.3.2).
fn group_name(value: &Value) -> Option<String> {
    let text = value.text()?;
    let is_good =
        !text.value.is_empty() && text.value.len() <= 255 && !text.value.contains(char::is_whitespace);
    if !is_good {
        let message = "a group is a word of up to 255 octets, without blanks";
        value.document().fault(text.span, message);
    }
    is_good.then(|| text.value.to_owned())
}

/// The tables by group. Zones of no group that is named come from where the catalog comes from, unless a table says so.
fn sorted(
    table: &Table,
    value: &Value,
    read: Vec<(Option<String>, Members)>,
    primaries: &[Server],
) -> Option<(Members, BTreeMap<String, Members>)> {
    let document = table.document();
    let (mut others, mut groups) = (None, BTreeMap::new());
    for (group, members) in read {
        let (before, words) = match group {
            None => (others.replace(members), "two tables of `members` without a `group`".to_owned()),
            Some(group) => {
                let words = format!("two tables of `members` for the group {group}");
                (groups.insert(group, members), words)
            }
        };
        if before.is_some() {
            document.fault_with_hint(value.key_span(), words, "put them together");
            return None;
        }
    }
    if others.is_none() && primaries.is_empty() {
        let message = "nothing says where the zones of this catalog come from";
        let hint = "add [[service.dns.zone.members]] with `primaries`";
        document.fault_with_hint(table.span(), message, hint);
        return None;
    }
    let as_catalog =
        || Members { primaries: primaries.to_vec(), allow: Policy::default(), notify: Vec::new() };
    Some((others.unwrap_or_else(as_catalog), groups))
}
