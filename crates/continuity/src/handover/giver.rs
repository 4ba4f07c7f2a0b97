//! The site that has the connection.

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Giver {
    /// Its service is at rest, and its packets are about to be held.
    Ready,
    /// Its packets are held, and its state is being read.
    Frozen,
    /// The other site knows its state.
    Offered,
    /// The other site has it, and waits; whether its state is still what was said is being seen.
    Accepted,
    /// It is the other site's.
    Given,
    /// It goes on here.
    Kept,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GiverEvent {
    /// The fence is up and the socket is frozen.
    Froze,
    /// Its state is known.
    Dumped,
    /// The kernel refuses something, or the connection is not one that can be moved.
    Failed,
    /// The other site has it, and waits.
    Accepted,
    /// Its socket has taken nothing in since its state was read.
    Same,
    /// The other site does not want it.
    Refused,
    /// The other site cannot be heard.
    Lost,
    /// The time is over.
    Late,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GiverAct {
    /// Read its state.
    Dump,
    /// Tell the other site.
    Offer,
    /// See whether its socket has taken anything in since its state was read: a packet may have passed the fence just before
    /// it came up, and be taken in later.
    Compare,
    /// End it here, without a word to the client.
    Discard,
    /// Send the packets to the other site that were held.
    Replay,
    /// Tell the other site that it may begin.
    Release,
    /// Send its packets to the other site from now on.
    Learn,
    /// Take the fence down; what was held meanwhile goes where the connection is.
    Unfence,
    /// Let it go on here.
    Thaw,
    /// Tell the other site that nothing comes of it.
    Withdraw,
}

impl Giver {
    /// Every state.
    pub const ALL: [Giver; 6] =
        [Giver::Ready, Giver::Frozen, Giver::Offered, Giver::Accepted, Giver::Given, Giver::Kept];

    /// What an event leads to, and what is to be done, in this order.
    pub fn next(self, event: GiverEvent) -> (Giver, &'static [GiverAct]) {
        use GiverAct::{Compare, Discard, Dump, Learn, Offer, Release, Replay, Thaw, Unfence, Withdraw};
        use GiverEvent::{Accepted, Dumped, Failed, Froze, Late, Lost, Refused, Same};
        match (self, event) {
            (Giver::Ready, Froze) => (Giver::Frozen, &[Dump]),
            // What was half done is undone: a fence may be up, and a socket may be frozen.
            (Giver::Ready, Failed | Lost | Late) => (Giver::Kept, &[Thaw, Unfence]),
            (Giver::Ready, Dumped | Accepted | Same | Refused) => (Giver::Ready, &[]),

            (Giver::Frozen, Dumped) => (Giver::Offered, &[Offer]),
            (Giver::Frozen, Failed | Lost | Late) => (Giver::Kept, &[Thaw, Unfence]),
            (Giver::Frozen, Froze | Accepted | Same | Refused) => (Giver::Frozen, &[]),

            (Giver::Offered, Accepted) => (Giver::Accepted, &[Compare]),
            (Giver::Offered, Refused) => (Giver::Kept, &[Thaw, Unfence]),
            (Giver::Offered, Failed | Lost | Late) => (Giver::Kept, &[Withdraw, Thaw, Unfence]),
            (Giver::Offered, Froze | Dumped | Same) => (Giver::Offered, &[]),

            // What was held is there before the connection goes on: with a gap before what routing has brought there meanwhile, it
            // would ask the client for it again. And the socket goes before the fence does: a packet that comes in between
            // finds nobody, and is not reset.
            (Giver::Accepted, Same) => (Giver::Given, &[Discard, Replay, Release, Learn, Unfence]),
            (Giver::Accepted, Failed | Lost | Late) => (Giver::Kept, &[Withdraw, Thaw, Unfence]),
            (Giver::Accepted, Froze | Dumped | Accepted | Refused) => (Giver::Accepted, &[]),

            (Giver::Given, Froze | Dumped | Failed | Accepted | Same | Refused | Lost | Late) => {
                (Giver::Given, &[])
            }

            // The answer was on its way when the time was over.
            (Giver::Kept, Accepted) => (Giver::Kept, &[Withdraw]),
            (Giver::Kept, Froze | Dumped | Failed | Same | Refused | Lost | Late) => (Giver::Kept, &[]),
        }
    }
}

impl GiverEvent {
    /// Every event.
    pub const ALL: [GiverEvent; 8] = [
        GiverEvent::Froze,
        GiverEvent::Dumped,
        GiverEvent::Failed,
        GiverEvent::Accepted,
        GiverEvent::Same,
        GiverEvent::Refused,
        GiverEvent::Lost,
        GiverEvent::Late,
    ];
}
