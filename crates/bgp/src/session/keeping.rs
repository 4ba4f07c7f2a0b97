//! What the session keeps of what it hears, if the operator wants it kept.

use crate::rib_in::{Heard, KeepReceived, Kept, RibIn};
use crate::session::monitored::Notes;
use crate::wire::nlri::Nlri;
use crate::wire::update::Update;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use terms::{Asn, Family, Prefix, Timestamp};

/// Routes heard, where they are kept. They are not saved with the session (see [`rib_in`](crate::rib_in)).
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Keeping {
    /// What a neighbour cannot guess.
    secret: u64,
    local_asn: Asn,
    #[serde(skip)]
    rib_in: Option<Box<RibIn>>,
}

impl Keeping {
    pub(super) fn new(local_asn: Asn, secret: u64) -> Self {
        Keeping { secret, local_asn, rib_in: None }
    }

    /// What to keep from now on.
    pub(super) fn keep(&mut self, keep: Option<KeepReceived>) {
        match (keep, &mut self.rib_in) {
            (None, _) => self.rib_in = None,
            (Some(keep), Some(rib_in)) => rib_in.limit(keep),
            (Some(keep), None) => {
                self.rib_in = Some(Box::new(RibIn::new(self.local_asn, keep, self.secret)));
            }
        }
    }

    /// Takes in an UPDATE that was judged to be well formed.
    pub(super) fn hear(&mut self, update: Update, now: Timestamp, notes: &mut Notes) {
        match update.is_end_of_rib() {
            Some(family) => self.sweep_stale(family, notes),
            None => self.change(|rib_in| rib_in.hear(update, now)),
        }
    }

    /// Takes in prefixes that are treated as withdrawn (RFC 7606 section 2).
    pub(super) fn withdraw(&mut self, paths: Vec<Nlri>) {
        self.change(|rib_in| rib_in.withdraw(paths));
    }

    /// The neighbour begins to tell all of a family again (RFC 7313 section 4), or begins again itself (RFC 4724).
    pub(super) fn mark_stale(&mut self, family: Family) {
        self.change(|rib_in| rib_in.mark_stale(family));
    }

    /// The neighbour has told all of a family again.
    pub(super) fn sweep_stale(&mut self, family: Family, notes: &mut Notes) {
        self.change(|rib_in| {
            if rib_in.sweep_stale(family) {
                notes.forgotten();
            }
        });
    }

    /// The session ended, and the neighbour may be restarting: what it told of these families stays, stale (RFC 4724
    /// section 4.2). What was stale already stays where `older` says so.
    pub(super) fn retain(&mut self, families: &BTreeSet<Family>, older: bool) {
        self.change(|rib_in| {
            for family in Family::ALL {
                let stays = families.contains(&family);
                if stays && !older {
                    rib_in.sweep_stale(family);
                }
                rib_in.mark_stale(family);
                if !stays {
                    rib_in.sweep_stale(family);
                }
            }
            rib_in.begin_anew();
        });
    }

    /// The session ended, and what was heard in it with it.
    pub(super) fn forget(&mut self) {
        self.change(RibIn::clear);
    }

    fn change(&mut self, change: impl FnOnce(&mut RibIn)) {
        if let Some(rib_in) = &mut self.rib_in {
            change(rib_in);
        }
    }

    /// Gives back a little of the memory of what was forgotten.
    pub(super) fn tidy(&mut self) {
        self.change(RibIn::tidy);
    }

    /// Whether memory is still to be given back.
    pub(super) fn is_untidy(&self) -> bool {
        self.rib_in.as_ref().is_some_and(|rib_in| rib_in.is_untidy())
    }

    pub(super) fn kept(&self) -> Option<Kept> {
        self.rib_in.as_ref().map(|rib_in| rib_in.kept())
    }

    /// How many steps [`Keeping::step`] has for a family.
    pub(super) fn steps(&self, family: Family) -> usize {
        self.rib_in.as_ref().map_or(0, |rib_in| rib_in.steps(family))
    }

    /// About one route; see [`RibIn::step`].
    pub(super) fn step(&self, family: Family, step: usize) -> Vec<Heard> {
        self.rib_in.as_ref().map_or(Vec::new(), |rib_in| rib_in.step(family, step))
    }

    pub(super) fn about(&self, prefix: Prefix) -> Option<Vec<Heard>> {
        self.rib_in.as_ref().map(|rib_in| rib_in.about(prefix))
    }
}
