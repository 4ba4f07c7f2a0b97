//! A neighbour that does everything right, and notes what it is told.

use crate::host::Host;
use crate::speaker::{Call, KEEPALIVE, NOTIFICATION, Open, UPDATE, message};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The route of the service as an UPDATE writes it: 198.18.0.0/24.
const ROUTE: [u8; 4] = [24, 198, 18, 0];

/// Its side of the session.
pub(crate) struct Healthy {
    seen: Arc<Seen>,
}

/// What it has seen so far.
#[derive(Default)]
struct Seen {
    announced: AtomicBool,
    /// How often it was told that the route is gone.
    withdraws: AtomicUsize,
    /// Why the session ended.
    end: Mutex<Option<String>>,
}

impl Healthy {
    /// Opens a session and keeps it alive from now on.
    pub(crate) fn establish(host: &Host, open: &Open, from: Ipv4Addr, site: Ipv4Addr) -> Self {
        let mut call = Call::dial(host, from, site).unwrap();
        call.establish(open);
        let seen = Arc::new(Seen::default());
        let speaking = call.stream.try_clone().unwrap();
        let (reader, speaker) = (Arc::clone(&seen), Arc::clone(&seen));
        std::thread::spawn(move || {
            let mut speaking = Call::on(speaking);
            while speaker.end.lock().unwrap().is_none() {
                speaking.say(&message(KEEPALIVE, &[]));
                std::thread::sleep(Duration::from_secs(1));
            }
        });
        std::thread::spawn(move || {
            let end = loop {
                match call.hear() {
                    None => break "the site has hung up".to_owned(),
                    Some((NOTIFICATION, body)) => break format!("NOTIFICATION {}/{}", body[0], body[1]),
                    Some((UPDATE, body)) => reader.note(&body),
                    Some(_) => {}
                }
            };
            *reader.end.lock().unwrap() = Some(end);
        });
        Healthy { seen }
    }

    /// Whether it has the site's route.
    pub(crate) fn has_route(&self) -> bool {
        self.seen.announced.load(Ordering::SeqCst)
    }

    /// How often it was told that the route is gone.
    pub(crate) fn withdraws(&self) -> usize {
        self.seen.withdraws.load(Ordering::SeqCst)
    }

    /// Why its session is over, if it is.
    pub(crate) fn end(&self) -> Option<String> {
        self.seen.end.lock().unwrap().clone()
    }
}

impl Seen {
    /// What an UPDATE says about the route of the service (RFC 4271 section 4.3); the site's cover does not count.
    fn note(&self, body: &[u8]) {
        let withdrawn = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let attributes = usize::from(u16::from_be_bytes([body[2 + withdrawn], body[3 + withdrawn]]));
        let names_route = |prefixes: &[u8]| prefixes.windows(ROUTE.len()).any(|octets| octets == ROUTE);
        if names_route(&body[2..2 + withdrawn]) {
            self.withdraws.fetch_add(1, Ordering::SeqCst);
            self.announced.store(false, Ordering::SeqCst);
        }
        if names_route(&body[4 + withdrawn + attributes..]) {
            self.announced.store(true, Ordering::SeqCst);
        }
    }
}
