//! Collectors of BMP that do everything wrong, while a neighbour tells more than they could take: nothing of BGP is
//! delayed, and memory stays within bounds.

use crate::flood::{self, Progress};
use crate::host::until;
use crate::stage::{Stage, hostile};
use serde_json::Value;
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What may wait for all of them together, in KiB, what the machine keeps of each message beside its octets, and what
/// every flood may take.
const MEMORY: u64 = 48 * 1024;

/// What one does with its calls.
type Habit = fn(TcpStream);

/// Each with its port.
const HABITS: [(&str, u16, Habit); 3] = [
    ("deaf", 11_001, |call| {
        std::thread::sleep(Duration::from_secs(3600));
        drop(call);
    }),
    ("talks", 11_002, |mut call| while call.write_all(&[0xfe; 4096]).is_ok() {}),
    ("resets", 11_003, |call| SockRef::from(&call).set_linger(Some(Duration::ZERO)).unwrap()),
];

/// Nobody listens there.
const ABSENT: u16 = 11_004;
/// Somebody who does everything right.
const GOOD: u16 = 11_005;

fn section(name: &str, port: u16, received: bool) -> String {
    let address = hostile(1);
    format!(
        "\n[[bmp]]\nname = \"{name}\"\naddress = \"{address}\"\nport = {port}\nreceived = {received}\n\
         statistics = \"1s\"\nmax_memory = \"1MiB\"\n"
    )
}

fn collector(stage: &Stage, name: &str) -> Value {
    let collectors = stage.site.status()["collectors"].clone();
    collectors.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
}

/// Reads messages by their length, as they come, and counts them by type.
fn listen(mut call: TcpStream, heard: &Mutex<Vec<u8>>) {
    let mut header = [0; 6];
    while call.read_exact(&mut header).is_ok() {
        let [version, a, b, c, d, kind] = header;
        assert_eq!(version, 3);
        let mut body = vec![0; usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap() - 6];
        call.read_exact(&mut body).unwrap();
        heard.lock().unwrap().push(kind);
    }
}

#[test]
fn no_collector_delays_a_withdraw_or_takes_memory() {
    let others = HABITS.iter().map(|(name, port, _)| section(name, *port, true)).collect::<String>();
    let stage =
        Stage::with(&format!("{others}{}{}", section("absent", ABSENT, true), section("good", GOOD, false)));
    let bind = |port| stage.on_hostile(move || TcpListener::bind((hostile(1), port)).unwrap());
    let calls = Arc::new(AtomicUsize::new(0));
    for (_, port, habit) in HABITS {
        let (listener, calls) = (bind(port), Arc::clone(&calls));
        std::thread::spawn(move || {
            for call in listener.incoming() {
                calls.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || habit(call.unwrap()));
            }
        });
    }
    let (heard, good) = (Arc::new(Mutex::new(Vec::new())), bind(GOOD));
    std::thread::spawn({
        let heard = Arc::clone(&heard);
        move || good.incoming().for_each(|call| listen(call.unwrap(), &heard))
    });
    until("the good one is told everything", || heard.lock().unwrap().contains(&0));
    let memory = stage.site.daemon().memory();
    let updates = &flood::ALL[1];
    let progress = Progress::default();
    std::thread::scope(|scope| {
        let _flood = progress.ends_with_this();
        scope.spawn(|| (updates.play)(&stage, hostile(40), &progress));
        until("the deaf one was hung up on", || {
            collector(&stage, "deaf")["overflows"].as_u64().unwrap() >= 1
        });
        for _ in 0..3 {
            stage.prove_healthy();
        }
        assert!(stage.site.daemon().memory() < memory + MEMORY, "{} KiB", stage.site.daemon().memory());
    });
    for (name, why) in [("talks", "talks"), ("resets", "reset"), ("absent", "refused")] {
        until(&format!("{name} is told to people"), || {
            collector(&stage, name)["reason"].as_str().is_some_and(|reason| reason.contains(why))
        });
    }
    let good = collector(&stage, "good");
    assert_eq!((&good["state"], &good["overflows"]), (&"connected".into(), &0.into()), "{good}");
    let has = |kind: u8| heard.lock().unwrap().contains(&kind);
    until("the good one has Peer Up and a Statistics Report", || has(3) && has(1));
    assert_eq!(heard.lock().unwrap()[0], 4, "Initiation is the first");
    assert!(!has(5), "its own connection did not end");
}
