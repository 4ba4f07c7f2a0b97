//! The schedule of a check, and every kind of check against something real on this host.

mod programs;
mod servers;

use super::*;
use ::check::dns::Expectation;
use config::{Question, Way};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use terms::FailKind;
use tokio::net::UdpSocket;

/// Something that must happen happens within this, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

fn surroundings() -> Surroundings {
    Surroundings {
        clock: Clock::start(),
        workshop: tokio::runtime::Handle::current(),
        tallies: watch::Sender::default().subscribe(),
        inventory: watch::Sender::default().subscribe(),
    }
}

/// How a question is asked for the service `web`.
fn asker(question: &Question) -> Arc<Asker> {
    Arc::new(Asker::new(&"web".parse().unwrap(), question, &surroundings()))
}

/// One run that may take so long. How late this process runs is of no interest.
async fn ask_for(asker: &Arc<Asker>, timeout: Duration) -> Finding {
    let never_late = Duration::from_secs(3600);
    ask_in_time(Arc::clone(asker), timeout, never_late, Clock::start(), Presence::default()).await
}

/// One run of a question that is answered.
async fn ask(question: &Question) -> Finding {
    ask_for(&asker(question), PATIENCE).await
}

/// The verdict in one line.
fn words(finding: &Finding) -> String {
    match &finding.verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Fail { kind, reason } => format!("{kind:?}: {reason}"),
        Verdict::Indeterminate { reason } => format!("indeterminate: {reason}"),
    }
}

fn probe(service: SocketAddr) -> Probe {
    let expectation = Expectation::new("example.".parse().unwrap(), "SOA".parse().unwrap());
    let question = Question::Dns { way: Way { to: service, from: Some(service.ip()) }, expectation };
    let surroundings = surroundings();
    Probe {
        group: Slot(0),
        check: CheckId(0),
        asker: Arc::new(Asker::new(&"dns".parse().unwrap(), &question, &surroundings)),
        interval: Duration::from_secs(3600),
        timeout: Duration::from_secs(3600),
        workshop: surroundings.workshop,
    }
}

fn start(probe: Probe) -> (mpsc::Sender<Timestamp>, mpsc::Receiver<(Slot, Found)>) {
    let (sooner, told) = mpsc::channel(1);
    let (found_by, found) = mpsc::channel(1);
    let presence = watch::channel(Presence::default()).1;
    tokio::spawn(probe.run(Clock::start(), presence, told, found_by));
    (sooner, found)
}

/// The query turned into the reply of a healthy server: with authority, and one empty SOA record.
fn healthy(query: &[u8]) -> Vec<u8> {
    let question = 12 + "\x07example\0".len() + 4;
    let mut reply = query[..question].to_vec();
    reply[2] = 0x84;
    (reply[7], reply[11]) = (1, 0);
    reply.extend([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 0]);
    reply
}

#[tokio::test]
async fn each_run_asks_from_a_port_of_its_own_and_the_next_can_be_sooner() {
    let service = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (sooner, mut found) = start(probe(service.local_addr().unwrap()));
    let (mut ports, mut query) = (BTreeSet::new(), [0; 512]);
    // The interval is an hour: every run but the first happens because it was asked for.
    for _ in 0..8 {
        let (octets, asker) = service.recv_from(&mut query).await.unwrap();
        ports.insert(asker.port());
        // Another id: a late reply to another query, which must not count.
        let mut stray = healthy(&query[..octets]);
        stray[0] ^= 0xff;
        stray[3] = 2;
        service.send_to(&stray, asker).await.unwrap();
        service.send_to(&healthy(&query[..octets]), asker).await.unwrap();
        assert_eq!(found.recv().await.unwrap().1.verdict, Verdict::Pass);
        sooner.send(Timestamp::ZERO).await.unwrap();
    }
    assert!(ports.len() > 4, "{ports:?}");
}

#[tokio::test]
async fn a_port_without_a_listener_is_a_definite_failure() {
    let service = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (_sooner, mut found) = start(probe(service));
    let verdict = found.recv().await.unwrap().1.verdict;
    assert!(matches!(verdict, Verdict::Fail { kind: FailKind::Definite, .. }), "{verdict:?}");
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let service = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let quick = Probe { timeout: Duration::from_millis(1), ..probe(service.local_addr().unwrap()) };
    let (_sooner, mut found) = start(quick);
    let verdict = found.recv().await.unwrap().1.verdict;
    assert!(matches!(verdict, Verdict::Fail { kind: FailKind::Timeout, .. }), "{verdict:?}");
}

#[tokio::test]
async fn a_check_that_nobody_listens_to_ends() {
    let service = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (sooner, found) = start(probe(service.local_addr().unwrap()));
    drop(found);
    let mut query = [0; 512];
    let (octets, asker) = service.recv_from(&mut query).await.unwrap();
    service.send_to(&healthy(&query[..octets]), asker).await.unwrap();
    // The task holds the other end of this queue for as long as it lives.
    sooner.closed().await;
}

#[test]
fn our_own_lateness_says_nothing_about_the_service() {
    let (due, interval) = (Timestamp::from_nanos(1_000_000_000), Duration::from_millis(100));
    assert_eq!(too_late(due, due + interval, interval), None);
    let late = too_late(due, due + Duration::from_millis(250), interval).unwrap();
    assert_eq!(late.as_str(), "our own scheduler was 250 ms late");
}

#[test]
fn missed_runs_are_not_made_up_for() {
    let (due, interval) = (Timestamp::from_nanos(1_000_000_000), Duration::from_millis(100));
    assert_eq!(following(due, due + Duration::from_millis(30), interval), due + interval);
    let late = due + Duration::from_secs(9);
    assert_eq!(following(due, late, interval), late);
}
