//! The permits of the groups: what the machines wish, and what the fleet says.

use announce::permit::Turn;
use announce::{Permit, Wish};
use std::collections::BTreeMap;
use terms::GroupName;
use tokio::sync::watch;

/// The latest wish of each group, and which of its wishes that is.
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
                    let turn = wishes.get(group).map_or(0, |(_, Turn(last))| *last);
                    wishes.insert(group.clone(), (wish, Turn(turn.saturating_add(1))));
                });
                None
            }
        }
    }

    /// What was wished and answered, for a program that takes over.
    pub(super) fn keep(&self) -> (Wishes, Grants) {
        match self {
            Permits::Alone => Default::default(),
            Permits::Fleet { wishes, grants } => (wishes.borrow().clone(), grants.borrow().clone()),
        }
    }

    /// Goes on with the wishes of the program before.
    pub(super) fn go_on(&self, from: Wishes) {
        if let Permits::Fleet { wishes, .. } = self {
            wishes.send_replace(from);
        }
    }

    /// Waits until the fleet says something new; for ever where there is none.
    pub(super) async fn news(&mut self) {
        if let Permits::Fleet { grants, .. } = self
            && grants.changed().await.is_ok()
        {
            return grants.mark_unchanged();
        }
        // The fleet's task lives as long as the process; without it nothing new is ever said.
        std::future::pending().await
    }

    /// What the fleet says to the latest wish of a group; none where it has not heard that wish yet. What was on its
    /// way when the wish changed must not be used.
    pub(super) fn answer(&self, group: &GroupName) -> Option<Permit> {
        let Permits::Fleet { wishes, grants } = self else { return None };
        let (permit, answered) = grants.borrow().get(group).copied()?;
        let (_, asked) = wishes.borrow().get(group).copied()?;
        (answered == asked).then_some(permit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_an_earlier_wish_is_no_answer() {
        let (grant, grants) = watch::channel(Grants::new());
        let permits = Permits::Fleet { wishes: watch::Sender::new(Wishes::new()), grants };
        let dns: GroupName = "dns".parse().unwrap();
        let say = |permit, turn| grant.send_replace(Grants::from([(dns.clone(), (permit, Turn(turn)))]));
        assert_eq!(permits.wish(&dns, Wish::Ask), None);
        say(Permit::Held, 1);
        assert_eq!(permits.answer(&dns), Some(Permit::Held));
        permits.wish(&dns, Wish::Release);
        permits.wish(&dns, Wish::Ask);
        assert_eq!(permits.answer(&dns), None, "it may have been given back meanwhile");
        say(Permit::Held, 3);
        assert_eq!(permits.answer(&dns), Some(Permit::Held));
    }

    #[test]
    fn a_site_on_its_own_asks_nobody() {
        let dns: GroupName = "dns".parse().unwrap();
        assert_eq!(Permits::Alone.wish(&dns, Wish::Ask), Some(Permit::Held));
        assert_eq!(Permits::Alone.wish(&dns, Wish::Release), Some(Permit::None));
    }
}
