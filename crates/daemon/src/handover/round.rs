//! Rounds: in each, the connections of the addresses that are being left are offered once.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use tokio::sync::watch;

/// The latest round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    /// From 1 on; none has the number of one before.
    number: u64,
    /// The addresses whose connections go; none: it is over.
    leaving: BTreeSet<IpAddr>,
}

impl Round {
    /// The next one begins.
    pub(super) fn begin(&mut self, leaving: &BTreeSet<IpAddr>) {
        self.number += 1;
        self.leaving.clone_from(leaving);
    }

    /// It is over for whatever is not being left any more; whether that changes anything.
    pub(super) fn keep(&mut self, leaving: &BTreeSet<IpAddr>) -> bool {
        let before = self.leaving.len();
        self.leaving.retain(|address| leaving.contains(address));
        self.leaving.len() != before
    }

    /// Its number for a service with these addresses; 0 where none of its connections goes.
    pub(super) fn of<'a>(&self, addresses: impl IntoIterator<Item = &'a SocketAddr>) -> u64 {
        let is_left = |address: &SocketAddr| self.leaving.contains(&address.ip().to_canonical());
        if addresses.into_iter().any(is_left) { self.number } else { 0 }
    }
}

/// The rounds as one service sees them.
#[derive(Debug)]
pub(super) struct Rounds {
    round: watch::Receiver<Round>,
    addresses: BTreeSet<SocketAddr>,
    seen: u64,
}

impl Rounds {
    pub(super) fn new(round: watch::Receiver<Round>, addresses: BTreeSet<SocketAddr>) -> Self {
        let seen = round.borrow().of(&addresses);
        Rounds { round, addresses, seen }
    }

    /// The number of the round that is; 0 while none of its connections is to be offered.
    pub(super) fn now(&self) -> u64 {
        self.round.borrow().of(&self.addresses)
    }

    /// The one that was seen last.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Waits until there is another one to see, and sees it; false when there will be none.
    pub(super) async fn changed(&mut self) -> bool {
        let (addresses, seen) = (&self.addresses, self.seen);
        let waited = self.round.wait_for(|round| round.of(addresses) != seen).await;
        let Ok(now) = waited.map(|round| round.of(addresses)) else { return false };
        self.seen = now;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaving(hosts: &[u8]) -> BTreeSet<IpAddr> {
        hosts.iter().map(|host| IpAddr::from([198, 18, 0, *host])).collect()
    }

    fn service(hosts: &[u8]) -> BTreeSet<SocketAddr> {
        leaving(hosts).into_iter().map(|address| SocketAddr::new(address, 53)).collect()
    }

    #[test]
    fn a_round_is_for_what_is_left_and_its_number_never_comes_again() {
        let mut round = Round::default();
        assert_eq!(round.of(&service(&[1])), 0);
        round.begin(&leaving(&[1, 2]));
        assert_eq!([&[1][..], &[2], &[3], &[2, 3]].map(|hosts| round.of(&service(hosts))), [1, 1, 0, 1]);
        let mapped: SocketAddr = "[::ffff:198.18.0.1]:53".parse().unwrap();
        assert_eq!(round.of([&mapped]), 1, "a socket for both families");
        assert!(!round.keep(&leaving(&[1, 2, 3])));
        assert!(round.keep(&leaving(&[2])));
        assert_eq!([1, 2].map(|host| round.of(&service(&[host]))), [0, 1]);
        assert!(round.keep(&leaving(&[])));
        round.begin(&leaving(&[1]));
        assert_eq!(round.of(&service(&[1])), 2, "who stayed in the first one is asked again");
    }

    #[tokio::test]
    async fn a_service_sees_its_own_rounds_only() {
        let (rounds, told) = watch::channel(Round::default());
        let mut seen = Rounds::new(told, service(&[1]));
        rounds.send_modify(|round| round.begin(&leaving(&[2])));
        rounds.send_modify(|round| round.begin(&leaving(&[1, 2])));
        assert!(seen.changed().await);
        assert_eq!((seen.seen(), seen.now()), (2, 2));
        rounds.send_modify(|round| _ = round.keep(&leaving(&[1])));
        rounds.send_modify(|round| _ = round.keep(&leaving(&[])));
        assert!(seen.changed().await);
        assert_eq!(seen.seen(), 0, "what else is left is nothing to it");
        drop(rounds);
        assert!(!seen.changed().await);
    }
}
