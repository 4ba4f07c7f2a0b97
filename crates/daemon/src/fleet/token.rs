//! Tokens of operators: on how few sites people and site files may act at a time.
//!
//! ```text
//!   clerk (drain, withdraw) ──┐                     ┌── record of each group that would go
//!   office (reload) ──────────┴─take, look, return─> driver's task ──compare and swap──> Store
//! ```
//! A person can be wrong everywhere at once; the permit protocol alone would let every slot go to that mistake. What
//! was taken for an action that then came to nothing is given back; a token that nobody gives back ends by itself.

use crate::clock::Clock;
use ::fleet::{Key, ReplaceError, Store};
use announce::permit::{Record, Refusal};
use std::collections::BTreeSet;
use std::time::Duration;
use terms::{GroupName, Reason, SiteName, WallTime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

/// How long anybody waits for a token.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Errands that wait for the driver; it takes each within microseconds.
const WAITING: usize = 4;

/// How often a change is tried that others keep overtaking.
const ATTEMPTS: u32 = 20;

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoToken {
    /// Enough sites had their turn.
    #[error("no operator token is free for {group}: {refusal}")]
    Refused {
        /// Whose record says so.
        group: GroupName,
        /// The numbers and the names.
        refusal: Refusal,
    },
    /// The store cannot be asked, or what lies there is no record.
    #[error("no operator token can be taken for {group}: {why}")]
    Unknown {
        /// Whose record it was about.
        group: GroupName,
        /// What is wrong.
        why: Reason,
    },
    /// Nothing is heard of the store.
    #[error("no operator token can be taken: the fleet's store does not answer within {} s", PATIENCE.as_secs())]
    Silent,
}

/// The way to the tokens. A site on its own needs none.
#[derive(Clone, Debug)]
pub(crate) struct Tokens(Option<mpsc::Sender<Errand>>);

/// What the driver is to do about tokens.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Take one for each group, or none at all. Answers with the groups for which it is new.
    Take {
        groups: BTreeSet<GroupName>,
        why: Reason,
        answer: oneshot::Sender<Result<BTreeSet<GroupName>, NoToken>>,
    },
    /// Say whether they would be had.
    Look { groups: BTreeSet<GroupName>, answer: oneshot::Sender<Result<(), NoToken>> },
    /// Nothing was done with these.
    Return { groups: BTreeSet<GroupName> },
}

impl Tokens {
    /// A way, and the end at which the driver takes errands.
    pub(super) fn new() -> (Tokens, mpsc::Receiver<Errand>) {
        let (errands, taken) = mpsc::channel(WAITING);
        (Tokens(Some(errands)), taken)
    }

    /// For a site that belongs to no fleet.
    pub(super) fn none_needed() -> Tokens {
        Tokens(None)
    }

    /// Whether there is a fleet to ask.
    pub(crate) fn are_needed(&self) -> bool {
        self.0.is_some()
    }

    /// Takes a token for this site in the record of every group, or none. Answers with the groups for which it had
    /// none before.
    pub(crate) async fn take(
        &self,
        groups: BTreeSet<GroupName>,
        why: Reason,
    ) -> Result<BTreeSet<GroupName>, NoToken> {
        match &self.0 {
            Some(errands) if !groups.is_empty() => {
                ask(errands, |answer| Errand::Take { groups, why, answer }).await
            }
            _ => Ok(BTreeSet::new()),
        }
    }

    /// Whether [`Self::take`] would have them now. Changes nothing.
    pub(crate) async fn look(&self, groups: BTreeSet<GroupName>) -> Result<(), NoToken> {
        match &self.0 {
            Some(errands) if !groups.is_empty() => {
                ask(errands, |answer| Errand::Look { groups, answer }).await
            }
            _ => Ok(()),
        }
    }

    /// Gives back what was taken for nothing. Where that cannot be done, the token ends with its time.
    pub(crate) fn give_back(&self, groups: BTreeSet<GroupName>) {
        if let Some(errands) = self.0.as_ref().filter(|_| !groups.is_empty()) {
            let _ = errands.try_send(Errand::Return { groups });
        }
    }
}

async fn ask<T>(
    errands: &mpsc::Sender<Errand>,
    errand: impl FnOnce(oneshot::Sender<Result<T, NoToken>>) -> Errand,
) -> Result<T, NoToken> {
    let (answer, answered) = oneshot::channel();
    let asking = async {
        errands.send(errand(answer)).await.map_err(|_| NoToken::Silent)?;
        answered.await.map_err(|_| NoToken::Silent)?
    };
    timeout(PATIENCE, asking).await.unwrap_or(Err(NoToken::Silent))
}

/// Whoever runs one errand for a site.
#[derive(Debug)]
pub(super) struct Runner<S> {
    pub(super) store: S,
    pub(super) site: SiteName,
    pub(super) clock: Clock,
}

impl<S: Store> Runner<S> {
    pub(super) async fn run(self, errand: Errand) {
        match errand {
            Errand::Take { groups, why, answer } => {
                let taken = self.take(&groups, &why).await;
                // Whoever asked has given up and does nothing: neither may the token stay.
                if let Err(Ok(fresh)) = answer.send(taken) {
                    self.give_back(&fresh).await;
                }
            }
            Errand::Look { groups, answer } => drop(answer.send(self.look(&groups).await)),
            Errand::Return { groups } => self.give_back(&groups).await,
        }
    }

    async fn take(&self, groups: &BTreeSet<GroupName>, why: &Reason) -> Result<BTreeSet<GroupName>, NoToken> {
        let mut fresh = BTreeSet::new();
        for group in groups {
            let change = |record: &Record, now| match record.has_token(&self.site, now) {
                true => Ok(None),
                false => record.take_token(&self.site, why, now).map(Some),
            };
            match self.amend(group, change).await {
                Ok(true) => drop(fresh.insert(group.clone())),
                Ok(false) => {}
                Err(no) => {
                    self.give_back(&fresh).await;
                    return Err(no);
                }
            }
        }
        Ok(fresh)
    }

    async fn look(&self, groups: &BTreeSet<GroupName>) -> Result<(), NoToken> {
        for group in groups {
            let nothing = Reason::from("a rehearsal");
            let change = |record: &Record, now| record.take_token(&self.site, &nothing, now).map(|_| None);
            self.amend(group, change).await?;
        }
        Ok(())
    }

    async fn give_back(&self, groups: &BTreeSet<GroupName>) {
        for group in groups {
            let change = |record: &Record, now| {
                Ok(record.has_token(&self.site, now).then(|| record.return_token(&self.site)))
            };
            // Where it fails, the token ends with its time.
            let _ = self.amend(group, change).await;
        }
    }

    /// Changes the record of one group, if it is to change: reads again when somebody else was faster, or when nobody
    /// knows whether the change was made. Then the record says so. Whether it was changed.
    async fn amend(
        &self,
        group: &GroupName,
        change: impl Fn(&Record, WallTime) -> Result<Option<Record>, Refusal>,
    ) -> Result<bool, NoToken> {
        let unknown = |why: String| NoToken::Unknown { group: group.clone(), why: Reason::from(why) };
        let key = Key::group(group);
        for attempt in 0..ATTEMPTS {
            let entry = self.store.read(&key).await.map_err(|error| unknown(error.to_string()))?.entry;
            let record = entry.as_ref().map_or(Ok(Record::empty()), |entry| Record::decode(&entry.value));
            let record = record.map_err(|error| unknown(error.to_string()))?;
            let next = change(&record, self.clock.wall());
            let next = next.map_err(|refusal| NoToken::Refused { group: group.clone(), refusal })?;
            let Some(next) = next else { return Ok(false) };
            match self.store.replace(&key, entry.map(|entry| entry.revision), next.encode()).await {
                Ok(_) => return Ok(true),
                Err(ReplaceError::Conflict | ReplaceError::Ambiguous(_)) => {}
                Err(ReplaceError::Unavailable(error)) => return Err(unknown(error.to_string())),
            }
            sleep(Duration::from_millis(10) * attempt).await;
        }
        Err(unknown("others keep changing the record".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::fleet::Embedded;

    fn groups() -> BTreeSet<GroupName> {
        ["dns", "web"].map(|name| name.parse().unwrap()).into()
    }

    fn runner(store: &Embedded, site: &str) -> Runner<Embedded> {
        Runner { store: store.clone(), site: site.parse().unwrap(), clock: Clock::start() }
    }

    async fn holders(store: &Embedded, group: &str) -> Vec<String> {
        let reading = store.read(&Key::group(&group.parse().unwrap())).await.unwrap();
        let record = reading.entry.map(|entry| Record::decode(&entry.value).unwrap());
        record.iter().flat_map(|record| record.tokens().keys().map(ToString::to_string)).collect()
    }

    fn store() -> (tempfile::TempDir, Embedded) {
        let directory = tempfile::tempdir().unwrap();
        let store = Embedded::open(&directory.path().join("store")).unwrap().store;
        (directory, store)
    }

    #[tokio::test]
    async fn a_second_action_of_a_site_takes_nothing_new_and_gives_nothing_back() {
        let (_directory, store) = store();
        let why = Reason::from("alice ordered to drain");
        assert_eq!(runner(&store, "london").take(&groups(), &why).await, Ok(groups()));
        assert_eq!(runner(&store, "london").take(&groups(), &why).await, Ok(BTreeSet::new()));
        assert_eq!(runner(&store, "london").look(&groups()).await, Ok(()));
        assert_eq!(holders(&store, "web").await, ["london"]);
    }

    #[tokio::test]
    async fn a_refusal_says_who_acts_until_when_and_takes_nothing() {
        let (_directory, store) = store();
        let why = Reason::from("alice ordered to drain");
        runner(&store, "london").take(&["web".parse().unwrap()].into(), &why).await.unwrap();
        let no = runner(&store, "paris").take(&groups(), &why).await.unwrap_err();
        let words = no.to_string();
        assert!(words.starts_with("no operator token is free for web: "), "{words}");
        assert!(
            words.contains(" UTC (alice ordered to drain)") && words.contains("london until "),
            "{words}"
        );
        assert_eq!(holders(&store, "dns").await, Vec::<String>::new(), "the first was given back");
        assert_eq!(runner(&store, "paris").look(&groups()).await, Err(no));
    }

    #[tokio::test]
    async fn a_token_for_nobody_is_given_back() {
        let (_directory, store) = store();
        let (answer, answered) = oneshot::channel();
        drop(answered);
        runner(&store, "london").run(Errand::Take { groups: groups(), why: "late".into(), answer }).await;
        assert_eq!(holders(&store, "dns").await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_is_no_record_gives_no_token_and_stays_as_it_is() {
        let (_directory, store) = store();
        let key = Key::group(&"dns".parse().unwrap());
        store.replace(&key, None, b"no record".to_vec()).await.unwrap();
        let no = runner(&store, "london").take(&groups(), &"alice".into()).await;
        assert!(matches!(no, Err(NoToken::Unknown { .. })), "{no:?}");
        assert_eq!(store.read(&key).await.unwrap().entry.unwrap().value, b"no record");
    }

    #[tokio::test]
    async fn a_store_that_says_nothing_is_not_waited_for_longer_than_the_patience() {
        let (tokens, _nobody_reads) = Tokens::new();
        assert_eq!(tokens.take(groups(), "alice".into()).await, Err(NoToken::Silent));
        assert_eq!(Tokens::none_needed().take(groups(), "alice".into()).await, Ok(BTreeSet::new()));
    }
}
