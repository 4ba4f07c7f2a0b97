//! Other settings for a session that exists: what is our own affair changes at once, what both OPENs agreed on ends it.
//!
//! | where it is | what other settings do |
//! |---|---|
//! | Idle | they count from the next attempt on; other bounds end the pause after too many prefixes |
//! | Connect, Active | if another side is to call now, it begins again |
//! | further on | it goes on if it can, else Cease/6 and the shortest pause (RFC 4486 section 4) |

use crate::session::established::Established;
use crate::session::state::{OpenConfirm, OpenSent, State};
use crate::session::timers::Timer;
use crate::session::transition::Next;
use crate::session::{Event, Session, Settings};
use crate::wire::notification::ErrorCode;
use Next::Stay;
use std::collections::BTreeSet;
use std::sync::Arc;
use terms::Family;

impl Session {
    pub(super) fn reconfigured_in_idle(&mut self, settings: Settings) -> Next {
        let other_bounds = self.settings.max_prefixes != settings.max_prefixes;
        self.adopt(settings);
        if other_bounds && self.timers.is_running(Timer::LimitPause) {
            return self.begin("the bound on prefixes changed");
        }
        Stay(State::Idle)
    }

    pub(super) fn reconfigured_on_the_way(&mut self, state: State, settings: Settings) -> Next {
        let other_caller = self.settings.passive != settings.passive;
        self.adopt(settings);
        if other_caller { self.begin("another side is to call") } else { Stay(state) }
    }

    pub(super) fn reconfigured_in_open_sent(&mut self, state: OpenSent, settings: Settings) -> Next {
        let goes_on = self.settings.can_become(&settings);
        self.adopt(settings);
        if goes_on {
            return Stay(State::OpenSent(state));
        }
        self.begin_again(state.into(), ErrorCode::CONFIGURATION_CHANGE, "other settings".into())
    }

    pub(super) fn reconfigured_in_open_confirm(&mut self, state: OpenConfirm, settings: Settings) -> Next {
        let goes_on = self.settings.can_become(&settings);
        self.adopt(settings);
        if goes_on {
            return Stay(State::OpenConfirm(state));
        }
        self.begin_again(state.into(), ErrorCode::CONFIGURATION_CHANGE, "other settings".into())
    }

    pub(super) fn reconfigured_in_established(
        &mut self,
        mut state: Box<Established>,
        settings: Settings,
    ) -> Next {
        let goes_on = self.settings.can_become(&settings);
        self.adopt(settings);
        if !goes_on {
            let reason = "other settings".into();
            return self.begin_again((*state).into(), ErrorCode::CONFIGURATION_CHANGE, reason);
        }
        state.rib_out.want(Arc::clone(self.wanted.allowed()));
        let uncounted = self.counted.bound(&self.settings.max_prefixes);
        self.ask_again(&mut state, &uncounted);
        Stay(State::Established(state))
    }

    /// Asks the neighbour to tell families again, because what it told so far was not noted.
    pub(super) fn ask_again(&mut self, state: &mut Established, families: &BTreeSet<Family>) {
        for &family in families {
            if let Some(request) = state.ask_again(family) {
                self.outputs.push_back(request);
                self.emit(Event::RefreshAsked(family));
            }
        }
        self.watch_sending(state.connection.unsent, state.negotiated.hold_time);
    }

    fn adopt(&mut self, settings: Settings) {
        self.settings = settings;
        if self.settings.graceful.is_none() && self.retention.is_awaiting() {
            self.forget_heard();
        }
        self.wanted.judge(&self.settings).into_iter().for_each(|event| self.emit(event));
    }
}
