//! The permits of the groups: what the machines wish, and what the fleet says.

use announce::permit::Turn;
use announce::{Permit, Wish};
use std::collections::BTreeMap;
use terms::GroupName;
use tokio::sync::watch;

/// What each group wishes, and how many wishes it has made. A group that has made none is not in it.
pub(crate) type Wishes = BTreeMap<GroupName, (Wish, Turn)>;

/// What the fleet says about each group that it knows, and which wish that answers.
pub(crate) type Grants = BTreeMap<GroupName, (Permit, Turn)>;

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
                    let turn = wishes.get(group).map_or(1, |(_, turn)| turn.0 + 1);
                    wishes.insert(group.clone(), (wish, Turn(turn)));
                });
                None
            }
        }
    }

    /// Waits until the fleet says something new; for ever where there is none. What answers a wish that has changed
    /// since is left out: a permit that was on its way then is no permit.
    pub(super) async fn news(&mut self) -> BTreeMap<GroupName, Permit> {
        if let Permits::Fleet { wishes, grants } = self
            && grants.changed().await.is_ok()
        {
            let (grants, wishes) = (grants.borrow_and_update(), wishes.borrow());
            let latest = |group: &GroupName| wishes.get(group).map(|(_, turn)| *turn);
            let current = grants.iter().filter(|(group, (_, turn))| latest(group) == Some(*turn));
            return current.map(|(group, (permit, _))| (group.clone(), *permit)).collect();
        }
        // The fleet's task lives as long as the process; without it nothing new is ever said.
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_permit_for_an_earlier_wish_is_no_permit() {
        let group: GroupName = "dns".parse().unwrap();
        let (wishes, wished) = watch::channel(Wishes::new());
        let (says, grants) = watch::channel(Grants::new());
        let mut permits = Permits::Fleet { wishes, grants };
        assert_eq!(permits.wish(&group, Wish::Ask), None, "nobody waits for the fleet");
        let first = wished.borrow()[&group].1;
        permits.wish(&group, Wish::Release);
        permits.wish(&group, Wish::Ask);
        says.send_replace(Grants::from([(group.clone(), (Permit::Held, first))]));
        assert_eq!(permits.news().await, BTreeMap::new());
        let latest = wished.borrow()[&group].1;
        says.send_replace(Grants::from([(group.clone(), (Permit::Held, latest))]));
        assert_eq!(permits.news().await, BTreeMap::from([(group, Permit::Held)]));
    }
}
