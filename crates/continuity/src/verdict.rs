//! What becomes of a packet, and how that is counted.

use crate::SiteNumber;

/// What becomes of a packet. Each has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Passes: it is for no service of this site.
    Foreign,
    /// Passes: it is for a service, but its flow cannot be told, for instance that of a later fragment.
    Opaque,
    /// Passes: it is for a service, but no part of a connection.
    Connectionless,
    /// Passes: it opens a connection, which this site will own.
    Opening,
    /// Passes: a socket of this host has the connection.
    Owned,
    /// Passes: the site that owned the connection is dead, and this host's reset tells the client so.
    Orphaned,
    /// Goes to the site that was found before.
    Learned(SiteNumber),
    /// Goes to the site whose filter has the flow.
    Claimed(SiteNumber),
    /// Goes to the site that is the last owner known of the client's prefix, or that relays for this one.
    Guessed(SiteNumber),
    /// Goes to the site that answers in the place of this one, which is held.
    Relayed(SiteNumber),
    /// Is dropped: so many were forwarded lately that the others are spared this one.
    OverBudget,
    /// Is dropped: no site is known that may own it.
    Unclaimed,
    /// Is dropped: it does not fit into the tunnel, or is the first fragment of a segment. The host would answer either by a reset.
    Oversized,
    /// Is dropped: it came through the tunnel, and is not from a site of the fleet, or not what sites send.
    Refused,
    /// Is taken aside: its connection is being handed over, and the daemon sends it on to whoever has it then.
    Held,
}

/// What is counted. The order is that of the kernel's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Count {
    /// [`Verdict::Foreign`].
    Foreign,
    /// [`Verdict::Opaque`].
    Opaque,
    /// [`Verdict::Connectionless`].
    Connectionless,
    /// [`Verdict::Opening`].
    Opening,
    /// [`Verdict::Owned`].
    Owned,
    /// [`Verdict::Orphaned`].
    Orphaned,
    /// [`Verdict::Learned`].
    Learned,
    /// [`Verdict::Claimed`].
    Claimed,
    /// [`Verdict::Guessed`].
    Guessed,
    /// [`Verdict::Relayed`].
    Relayed,
    /// [`Verdict::OverBudget`].
    OverBudget,
    /// [`Verdict::Unclaimed`].
    Unclaimed,
    /// [`Verdict::Oversized`].
    Oversized,
    /// [`Verdict::Refused`].
    Refused,
    /// [`Verdict::Held`].
    Held,
    /// Beside the verdict: it came through the tunnel and was believed.
    Arrived,
    /// Beside the verdict: it is of a connection that neither this host has nor was found before.
    Missed,
    /// Beside the verdict: it was to be forwarded, and the driver had no room to wrap it, or it was to be held, and there
    /// was no room for it.
    Unsent,
}

impl Count {
    /// All of them, in their order.
    pub const ALL: [Count; 18] = [
        Count::Foreign,
        Count::Opaque,
        Count::Connectionless,
        Count::Opening,
        Count::Owned,
        Count::Orphaned,
        Count::Learned,
        Count::Claimed,
        Count::Guessed,
        Count::Relayed,
        Count::OverBudget,
        Count::Unclaimed,
        Count::Oversized,
        Count::Refused,
        Count::Held,
        Count::Arrived,
        Count::Missed,
        Count::Unsent,
    ];
}

impl From<Verdict> for Count {
    fn from(verdict: Verdict) -> Count {
        match verdict {
            Verdict::Foreign => Count::Foreign,
            Verdict::Opaque => Count::Opaque,
            Verdict::Connectionless => Count::Connectionless,
            Verdict::Opening => Count::Opening,
            Verdict::Owned => Count::Owned,
            Verdict::Orphaned => Count::Orphaned,
            Verdict::Learned(_) => Count::Learned,
            Verdict::Claimed(_) => Count::Claimed,
            Verdict::Guessed(_) => Count::Guessed,
            Verdict::Relayed(_) => Count::Relayed,
            Verdict::OverBudget => Count::OverBudget,
            Verdict::Unclaimed => Count::Unclaimed,
            Verdict::Oversized => Count::Oversized,
            Verdict::Refused => Count::Refused,
            Verdict::Held => Count::Held,
        }
    }
}

/// How often each was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; Count::ALL.len()]);

impl Counts {
    /// The counters in their order.
    pub fn new(counters: [u64; Count::ALL.len()]) -> Self {
        Counts(counters)
    }

    /// One counter.
    pub fn get(&self, count: Count) -> u64 {
        self.0[count as usize]
    }

    /// Counts one more.
    pub fn add(&mut self, count: Count) {
        self.0[count as usize] += 1;
    }

    /// Every packet that was missed has one end: it was delivered to the site that claims it or is guessed to have it, or
    /// passed on to be reset, or dropped by a budget, or dropped because nobody claims it. Whether these add up.
    pub fn add_up(&self) -> bool {
        let ends = [Count::Claimed, Count::Guessed, Count::Orphaned, Count::OverBudget, Count::Unclaimed];
        self.get(Count::Missed) == ends.into_iter().map(|end| self.get(end)).sum::<u64>()
    }
}
