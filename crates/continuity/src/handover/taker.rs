//! The site that gets the connection.

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taker {
    /// It was offered.
    Offered,
    /// Its packets are held, its socket is there, frozen, and the other site is told so.
    Waiting,
    /// It is this site's.
    Taken,
    /// Nothing came of it.
    Dropped,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TakerEvent {
    /// The kernel has made its socket.
    Restored,
    /// The kernel refuses, or no service here wants it.
    Failed,
    /// The other site has ended its own.
    Released,
    /// The other site goes on with its own.
    Withdrawn,
    /// The other site cannot be heard.
    Lost,
    /// The time is over.
    Late,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TakerAct {
    /// Tell the other site that it is here.
    Accept,
    /// Tell the other site that it stays there.
    Refuse,
    /// Let it go on here.
    Thaw,
    /// Take the fence down: what was held is its socket's if it goes on here, and is sent again by its client if not.
    Unfence,
    /// Give it to its service.
    Give,
    /// End it here, without a word to the client.
    Discard,
}

impl Taker {
    /// Every state.
    pub const ALL: [Taker; 4] = [Taker::Offered, Taker::Waiting, Taker::Taken, Taker::Dropped];

    /// What an event leads to, and what is to be done, in this order.
    pub fn next(self, event: TakerEvent) -> (Taker, &'static [TakerAct]) {
        use Taker::{Dropped, Offered, Taken, Waiting};
        use TakerAct::{Accept, Discard, Give, Refuse, Thaw, Unfence};
        use TakerEvent::{Failed, Late, Lost, Released, Restored, Withdrawn};
        match (self, event) {
            (Offered, Restored) => (Waiting, &[Accept]),
            (Offered, Failed | Late) => (Dropped, &[Unfence, Refuse]),
            (Offered, Withdrawn | Lost) => (Dropped, &[Unfence]),
            // Nobody releases what was not accepted.
            (Offered, Released) => (Offered, &[]),

            (Waiting, Released) => (Taken, &[Thaw, Unfence, Give]),
            // Whoever cannot be heard may go on with its own: two sites must not speak for one client.
            (Waiting, Failed | Withdrawn | Lost | Late) => (Dropped, &[Discard, Unfence]),
            (Waiting, Restored) => (Waiting, &[]),

            (Taken, Restored | Failed | Released | Withdrawn | Lost | Late) => (Taken, &[]),
            (Dropped, Restored | Failed | Released | Withdrawn | Lost | Late) => (Dropped, &[]),
        }
    }
}

impl TakerEvent {
    /// Every event.
    pub const ALL: [TakerEvent; 6] = [
        TakerEvent::Restored,
        TakerEvent::Failed,
        TakerEvent::Released,
        TakerEvent::Withdrawn,
        TakerEvent::Lost,
        TakerEvent::Late,
    ];
}
