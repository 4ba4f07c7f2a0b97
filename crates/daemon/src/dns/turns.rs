//! Many zones and one server: few of them have to do with it at a time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many zones have to do with one server at a time.
const AT_A_TIME: usize = 32;

/// Who may talk to which server. One that does not answer delays nobody who waits for another.
#[derive(Debug, Default)]
pub(super) struct Turns {
    servers: BTreeMap<SocketAddr, Arc<Semaphore>>,
}

impl Turns {
    /// Where those wait who have to do with a server.
    pub(super) fn of(&mut self, server: SocketAddr) -> Arc<Semaphore> {
        if !self.servers.contains_key(&server) {
            // Reloads may name other servers again and again.
            self.servers.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        Arc::clone(self.servers.entry(server).or_insert_with(|| Arc::new(Semaphore::new(AT_A_TIME))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_busy_delays_nobody_who_waits_for_another() {
        let [first, second]: [SocketAddr; 2] = ["192.0.2.1:53", "192.0.2.2:53"].map(|it| it.parse().unwrap());
        let mut turns = Turns::default();
        let held = turns.of(first);
        let all = held.try_acquire_many(32).unwrap();
        assert!(turns.of(first).try_acquire().is_err() && turns.of(second).try_acquire().is_ok());
        drop(all);
        assert!(turns.of(first).try_acquire().is_ok());
        assert_eq!(turns.servers.len(), 2);
        drop(held);
        turns.of("192.0.2.3:53".parse().unwrap());
        assert_eq!(turns.servers.len(), 1, "nobody has to do with the others any more");
    }
}
