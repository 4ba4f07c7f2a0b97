//! Keepers of several sites and one store, with clients that move between them.

use crate::cookies::*;
use crate::fleet::Said;
use ::dns::{Arrival, Cookie, Identity, Outcome, Server, Transport, Zones, answer};
use ::fleet::{Embedded, Store};
use announce::permit::Speaker;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use terms::Timestamp;
use tokio::task::JoinSet;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// A site: its keeper runs, and says in the store what it has as presence does.
struct Site {
    keyring: watch::Receiver<Keyring>,
    says: Arc<AtomicBool>,
}

async fn site(store: &Embedded, tasks: &mut JoinSet<()>, name: &str) -> Site {
    let keeper = Keeper::recall(None, Clock::start(), Bus::for_test()).await;
    let (keyring, says) = (keeper.keyring(), Arc::new(AtomicBool::new(true)));
    let shared = store.clone();
    tasks.spawn(async move {
        keeper.share(shared).await;
    });
    let speaker = Speaker { site: name.parse().unwrap(), host: name.parse().unwrap() };
    let (shared, mut watched, may) = (store.clone(), keyring.clone(), Arc::clone(&says));
    tasks.spawn(async move {
        let mut lease = None;
        loop {
            if may.load(Ordering::Relaxed) {
                let said = Said::for_test(Some(watched.borrow_and_update().number()));
                let lifetime = Duration::from_secs(60);
                lease = shared.present(&Key::host(&speaker), &said.encode(), lifetime, lease).await.ok();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    Site { keyring, says }
}

impl Site {
    /// What a cookie is worth here, and the cookie that comes back.
    fn asked(&self, cookie: &[u8]) -> (Cookie, Vec<u8>) {
        let mut message = b"\0\x07\0\0\0\x01\0\0\0\0\0\x01\0\0\x01\0\x01\0\0\x29\x04\xd0\0\0\0\0".to_vec();
        message.extend_from_slice(&(cookie.len() as u16 + 4).to_be_bytes());
        message.extend_from_slice(&[0, 10]);
        message.extend_from_slice(&(cookie.len() as u16).to_be_bytes());
        message.extend_from_slice(cookie);
        let (zones, secrets) = (Zones::new(Vec::new()).unwrap(), self.keyring.borrow().secrets());
        let identity = Identity::new(&"london".parse().unwrap(), None);
        let server = Server { zones: &zones, identity: &identity, secrets: &secrets };
        let (now, wall) = (Timestamp::ZERO, Clock::start().wall());
        let arrival = Arrival {
            message: &message,
            client: CLIENT,
            transport: Transport::Udp,
            patience: None,
            reserved: 0,
            now,
            wall,
        };
        let mut out = [0; 512];
        let Outcome::Reply { cookie, length, .. } = answer(&server, None, &arrival, &mut out) else {
            panic!("no reply")
        };
        let at = out[..length].windows(4).position(|octets| octets == [0, 10, 0, 24]).unwrap() + 4;
        (cookie, out[at..at + 24].to_vec())
    }
}

/// Until it is so, with every client moving to every other site all the time.
async fn moving_until(sites: &[Site], what: &str, is_so: impl Fn() -> bool) {
    let mut cookies = vec![b"8 octets".to_vec(); sites.len()];
    for turn in 0.. {
        let is_so = is_so();
        for (from, cookie) in cookies.iter_mut().enumerate() {
            let (worth, next) = sites[(from + turn) % sites.len()].asked(cookie);
            assert_ne!(worth, Cookie::Bad, "{what}, turn {turn}");
            *cookie = next;
        }
        if is_so {
            return;
        }
        assert!(turn < 20_000, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_secret_is_rolled_over_without_one_rejected_cookie() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(&directory.path().join("fleet")).unwrap().store;
    let mut tasks = JoinSet::new();
    let mut sites = Vec::new();
    for name in ["london", "newyork", "paris", "tokyo"] {
        sites.push(site(&store, &mut tasks, name).await);
    }
    let active = |site: &Site| site.keyring.borrow().secrets().active;
    let agree = || sites.iter().all(|site| active(site) == active(&sites[0]));
    for _ in 0..20_000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if agree() {
            break;
        }
    }
    assert!(agree(), "the sites share one keyring");
    let first = active(&sites[0]);

    // One of them does not say what it has: it may not have heard of the next secret.
    sites[3].says.store(false, Ordering::Relaxed);
    let entry = store.read(&Key::shared_cookies()).await.unwrap().entry.unwrap();
    let staged = sites[0].keyring.borrow().stage(fresh()).unwrap();
    let json = serde_json::to_vec(&staged).unwrap();
    store.replace(&Key::shared_cookies(), Some(entry.revision), json).await.unwrap();
    let staging = || sites.iter().all(|site| site.keyring.borrow().number() == 2);
    moving_until(&sites, "the next secret is shown to all", staging).await;
    for _ in 0..50 {
        moving_until(&sites, "a look", || true).await;
        assert!(sites.iter().all(|site| active(site) == first), "it waits for the one that says nothing");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    sites[3].says.store(true, Ordering::Relaxed);
    let rolled = || sites.iter().all(|site| active(site) != first);
    moving_until(&sites, "the next secret is used by all", rolled).await;
    moving_until(&sites, "all agree", agree).await;
}
