//! The permits of the groups: what the machines wish, and what the fleet says.

use announce::{Permit, Wish};
use std::collections::BTreeMap;
use terms::GroupName;
use tokio::sync::watch;

/// Which groups ask for the permit to withdraw.
pub(crate) type Wishes = BTreeMap<GroupName, bool>;

/// What the fleet says about each group that it knows.
pub(crate) type Grants = BTreeMap<GroupName, Permit>;

/// Who grants the permits.
#[derive(Debug)]
pub(crate) enum Permits {
    /// Nobody else is there to ask: a site on its own may always withdraw.
    Alone,
    /// The fleet, through its store. Both are latest values, and nobody waits.
    Fleet {
        /// To the task that keeps in touch with the store.
        wishes: watch::Sender<Wishes>,
        /// From it.
        grants: watch::Receiver<Grants>,
    },
}

impl Permits {
    /// Passes a wish on. Answers with what can be said at once.
    pub(super) fn wish(&self, group: &GroupName, wish: Wish) -> Option<Permit> {
        match (self, wish) {
            (Permits::Alone, Wish::Ask) => Some(Permit::Held),
            (Permits::Alone, Wish::Release) => Some(Permit::None),
            (Permits::Fleet { wishes, .. }, wish) => {
                wishes.send_modify(|wishes| {
                    wishes.insert(group.clone(), wish == Wish::Ask);
                });
                None
            }
        }
    }

    /// Waits until the fleet says something new; for ever where there is none.
    pub(super) async fn news(&mut self) -> Grants {
        if let Permits::Fleet { grants, .. } = self
            && grants.changed().await.is_ok()
        {
            return grants.borrow_and_update().clone();
        }
        // The fleet's task lives as long as the process; without it nothing new is ever said.
        std::future::pending().await
    }
}
