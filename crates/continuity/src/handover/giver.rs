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
    /// End it here, without a word to the client.
    Discard,
    /// Send its packets to the other site from now on.
    Learn,
    /// Tell the other site that it may begin.
    Release,
    /// Send the packets there that were held.
    Replay,
    /// Take the fence down.
    Unfence,
    /// Let it go on here.
    Thaw,
    /// Tell the other site that nothing comes of it.
    Withdraw,
}

impl Giver {
    /// Every state.
    pub const ALL: [Giver; 5] = [Giver::Ready, Giver::Frozen, Giver::Offered, Giver::Given, Giver::Kept];

    /// What an event leads to, and what is to be done, in this order.
    pub fn next(self, event: GiverEvent) -> (Giver, &'static [GiverAct]) {
        use Giver::{Frozen, Given, Kept, Offered, Ready};
        use GiverAct::{Discard, Dump, Learn, Offer, Release, Replay, Thaw, Unfence, Withdraw};
        use GiverEvent::{Accepted, Dumped, Failed, Froze, Late, Lost, Refused};
        match (self, event) {
            (Ready, Froze) => (Frozen, &[Dump]),
            // What was half done is undone: a fence may be up, and a socket may be frozen.
            (Ready, Failed | Lost | Late) => (Kept, &[Thaw, Unfence]),
            (Ready, Dumped | Accepted | Refused) => (Ready, &[]),

            (Frozen, Dumped) => (Offered, &[Offer]),
            (Frozen, Failed | Lost | Late) => (Kept, &[Thaw, Unfence]),
            (Frozen, Froze | Accepted | Refused) => (Frozen, &[]),

            // Its socket goes before the fence does: a packet that comes in between finds nobody, and is not reset.
            (Offered, Accepted) => (Given, &[Discard, Learn, Release, Replay, Unfence]),
            (Offered, Refused) => (Kept, &[Thaw, Unfence]),
            (Offered, Failed | Lost | Late) => (Kept, &[Withdraw, Thaw, Unfence]),
            (Offered, Froze | Dumped) => (Offered, &[]),

            (Given, Froze | Dumped | Failed | Accepted | Refused | Lost | Late) => (Given, &[]),

            // The answer was on its way when the time was over.
            (Kept, Accepted) => (Kept, &[Withdraw]),
            (Kept, Froze | Dumped | Failed | Refused | Lost | Late) => (Kept, &[]),
        }
    }
}

impl GiverEvent {
    /// Every event.
    pub const ALL: [GiverEvent; 7] = [
        GiverEvent::Froze,
        GiverEvent::Dumped,
        GiverEvent::Failed,
        GiverEvent::Accepted,
        GiverEvent::Refused,
        GiverEvent::Lost,
        GiverEvent::Late,
    ];
}
