//! What the decision loop is asked by others of this process.

use crate::announce::{Kept, Seen};
use crate::export::blackhole::Blackhole;
use crate::succession::StandStill;
use announce::Intent;
use std::collections::BTreeMap;
use std::sync::Arc;
use terms::{GroupName, Reason, Timestamp};
use tokio::sync::oneshot;

/// One request. Each is answered within the step that takes it; one that cannot be carried out is not answered.
#[derive(Debug)]
pub(crate) enum Command {
    /// Shows every group as it is, in the order of the site file.
    Look {
        /// The answer.
        seen: oneshot::Sender<Vec<Seen>>,
    },
    /// Tells these groups what the operator wants of them, in one step. Not answered once the daemon is stopping.
    Intend {
        /// What each of them is to do.
        intents: BTreeMap<GroupName, Intent>,
        /// Answered when the machines know.
        told: oneshot::Sender<()>,
    },
    /// Has peers drop what is sent to these addresses and to no others.
    Blackhole {
        /// All of them.
        blackholes: Arc<[Blackhole]>,
        /// Answered when it is decided.
        told: oneshot::Sender<()>,
    },
    /// Another program is about to take over: nothing is decided until it is known whether it could.
    StandStill(StandStill<Kept>),
    /// The daemon is stopping. From now on nothing is announced above [`Level::Gshut`](announce::Level::Gshut), and
    /// no operator's order is taken.
    Leave {
        /// How.
        leave: Leave,
        /// Who wants it, such as a signal.
        who: Reason,
        /// Answered when it is decided: until when something was announced; none if nothing ever was.
        decided: oneshot::Sender<Option<Timestamp>>,
    },
}

/// How the daemon leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Users are sent elsewhere; what the fleet permits is withdrawn when they have gone.
    InOrder,
    /// Everything is withdrawn at once, permitted or not.
    AtOnce,
}
