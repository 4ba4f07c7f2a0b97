//! What may be told: the wanted routes, unless there are more of them than the operator ever wants announced.
//!
//! ```text
//!   wanted ──► at most `max_announced`? ──yes──► told; the last good set
//!                       └─no──► refused, alarm: of the last good set what is still wanted stays told, with
//!                               the attributes that are wanted now; what is wanted beyond it is not told
//! ```
//! A set that is too large is a mistake, most likely in a file, and telling any of what is new in it could leak a route.
//! But it also says truly what is wanted no longer: a failed check withdraws its prefix whatever else is wrong.

use crate::session::{Event, Prefixes, Settings};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use terms::{Prefix, RouteSet};

/// What is wanted, and what of it may be told.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Wanted {
    asked: Arc<RouteSet>,
    allowed: Arc<RouteSet>,
    /// The last set that was not too large.
    good: Arc<RouteSet>,
    /// What people were told is held back.
    held_back: Option<Event>,
}

impl Wanted {
    /// What may be told.
    pub(super) fn allowed(&self) -> &Arc<RouteSet> {
        &self.allowed
    }

    /// Takes another set. Answers what people are to know about it.
    pub(super) fn ask(&mut self, routes: Arc<RouteSet>, settings: &Settings) -> Option<Event> {
        self.asked = routes;
        self.judge(settings)
    }

    /// Judges the set again, since a bound may have changed.
    pub(super) fn judge(&mut self, settings: &Settings) -> Option<Event> {
        let is_ours = |prefix: &&Prefix| settings.families.contains(&prefix.family());
        let wanted = self.asked.keys().filter(is_ours).count();
        let limit = settings.max_announced.map(|limit| (limit, usize::try_from(limit).unwrap_or(usize::MAX)));
        let Some((limit, _)) = limit.filter(|&(_, most)| wanted > most) else {
            self.good = Arc::clone(&self.asked);
            self.allowed = Arc::clone(&self.asked);
            return self.held_back.take().map(|_| Event::WantedFits);
        };
        let is_known = |prefix: &Prefix| self.good.contains_key(prefix);
        let known = self.asked.iter().filter(|(prefix, _)| is_known(prefix));
        self.allowed = Arc::new(known.map(|(prefix, attributes)| (*prefix, attributes.clone())).collect());
        let beyond = self.asked.keys().filter(is_ours).filter(|prefix| !is_known(prefix));
        let prefixes: Prefixes = beyond.copied().collect();
        let event = Event::TooManyWanted { wanted, limit, prefixes };
        let is_news = self.held_back.as_ref() != Some(&event);
        self.held_back = Some(event.clone());
        is_news.then_some(event)
    }

    /// The session is over: whatever people were told is no longer so.
    pub(super) fn forget(&mut self) -> Option<Event> {
        self.held_back.take().map(|_| Event::WantedFits)
    }
}
