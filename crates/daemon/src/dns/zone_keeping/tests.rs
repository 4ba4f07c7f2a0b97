//! What keeps zones is started anew where it has ended, and few of many talk to one server at a time.

use super::super::Teller;
use super::super::images::Images;
use super::super::transfer_tests::{follower_of, member, primary, secondary};
use super::*;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

#[tokio::test]
async fn a_zone_whose_task_has_ended_is_kept_again() {
    let folder = tempfile::tempdir().unwrap();
    let service: ServiceName = "dns".parse().unwrap();
    // Nobody listens there.
    let server = config::Server { address: "127.0.0.1:1".parse().unwrap(), key: None };
    let (written, images) = (secondary(vec![server]), || Images::new(folder.path(), &service));
    let shelf = Shelf::new(&written, images(), Teller::for_test()).unwrap();
    let wanted = Wanted::from([(service.clone(), shelf)]);
    let (views, _) = watch::channel(Views::default());
    let (clock, bus) = (Clock::start(), Bus::for_test());
    let mut keeping = Keeping::new(clock, bus, views);
    keeping.adapt(&wanted);
    let is_running = |keeping: &Keeping| {
        keeping.running.values().flat_map(|zone| &zone.tasks).all(|task| !task.is_finished())
    };
    keeping.tasks.abort_all();
    while keeping.tasks.join_next().await.is_some() {}
    assert!(!is_running(&keeping));
    keeping.adapt(&wanted);
    assert!(is_running(&keeping) && keeping.tasks.len() == 1);
    // All that have ended are taken at once: each look is at every zone.
    for _ in 0..9 {
        keeping.tasks.spawn(async {});
    }
    keeping.tasks.abort_all();
    while !keeping.tasks.is_empty() && is_running(&keeping) {
        tokio::task::yield_now().await;
    }
    keeping.ended().await;
    assert!(keeping.tasks.is_empty());
    keeping.adapt(&wanted);
    assert!(is_running(&keeping));
    // The service was away before anybody looked.
    let another = Shelf::new(&written, images(), Teller::for_test()).unwrap();
    keeping.adapt(&Wanted::from([(service, another.clone())]));
    assert!(keeping.running.values().all(|running| running.shelf.is_same(&another)));
    assert!(is_running(&keeping));
    keeping.tasks.abort_all();
    while keeping.tasks.join_next().await.is_some() {}
    // One that fails at its start does not fill a processor.
    let failed = keeping.tasks.spawn(async { panic!("planted by a test") });
    while !failed.is_finished() {
        tokio::task::yield_now().await;
    }
    let mut ended = pin!(keeping.ended());
    let is_paused = poll_fn(|context| Poll::Ready(ended.as_mut().poll(context).is_pending())).await;
    assert!(is_paused, "what has ended is not taken up at once");
}

/// Zones of a service, none of which anybody keeps yet.
fn keeping(written: &config::BuiltInDns) -> (tempfile::TempDir, Keeping, Wanted) {
    let folder = tempfile::tempdir().unwrap();
    let service: ServiceName = "dns".parse().unwrap();
    let shelf = Shelf::new(written, Images::new(folder.path(), &service), Teller::for_test()).unwrap();
    let (views, _) = watch::channel(Views::default());
    (folder, Keeping::new(Clock::start(), Bus::for_test(), views), Wanted::from([(service, shelf)]))
}

/// Lets everybody run who does not wait.
async fn everybody_runs() {
    for _ in 0..500 {
        tokio::task::yield_now().await;
    }
}

/// How many zones have to do with one server at a time.
const AT_A_TIME: usize = 32;
/// How many there are.
const ZONES: usize = 80;

#[tokio::test]
async fn of_many_zones_few_are_told_to_a_server_at_a_time() {
    let server = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let texts: Vec<String> = (0..ZONES).map(|n| member(&format!("zone{n}."), 1)).collect();
    let mut written = primary(&texts.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let to = Server { address: server.local_addr().unwrap(), key: None };
    written.transfers.iter_mut().for_each(|zone| zone.notify = vec![to.clone()]);
    let (_folder, mut keeping, wanted) = keeping(&written);
    keeping.adapt(&wanted);
    // The last message about each zone, and whether it was answered.
    let mut told = BTreeMap::<Vec<u8>, (Vec<u8>, SocketAddr)>::new();
    let mut answered = BTreeMap::<Vec<u8>, ()>::new();
    let mut message = [0; 512];
    while answered.len() < ZONES {
        everybody_runs().await;
        while let Ok((length, from)) = server.try_recv_from(&mut message) {
            let mut reply = message[..length].to_vec();
            reply[2] |= 0x80;
            told.insert(message[12..24].to_vec(), (reply, from));
        }
        assert!(told.len() <= AT_A_TIME + answered.len(), "{} after {} answers", told.len(), answered.len());
        // One more of them; and those that asked again before they heard.
        let next = told.keys().find(|zone| !answered.contains_key(*zone)).cloned();
        answered.extend(next.map(|zone| (zone, ())));
        for zone in answered.keys() {
            if let Some((reply, to)) = told.get_mut(zone).filter(|(reply, _)| !reply.is_empty()) {
                server.send_to(&std::mem::take(reply), *to).await.unwrap();
            }
        }
        if told.len() == answered.len() && answered.len() < ZONES {
            server.readable().await.unwrap();
        }
    }
}

#[tokio::test]
async fn of_many_zones_few_ask_a_server_at_a_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_folder, mut keeping, wanted) = keeping(&follower_of(listener.local_addr().unwrap(), ZONES));
    keeping.follow(&wanted);
    keeping.adapt(&wanted);
    let (mut open, mut came) = (Vec::new(), 0);
    while came < ZONES {
        everybody_runs().await;
        let all = poll_fn(|context| {
            let mut all = Vec::new();
            while let Poll::Ready(accepted) = listener.poll_accept(context) {
                all.push(accepted.unwrap().0);
            }
            Poll::Ready(all)
        });
        let all = all.await;
        came += all.len();
        open.extend(all);
        assert!(open.len() <= AT_A_TIME, "{} at a time", open.len());
        match open.is_empty() {
            // None of them is ever answered; who is cut off leaves its turn to the next.
            false => drop(open.remove(0)),
            true => open.push(listener.accept().await.unwrap().0),
        }
    }
}
