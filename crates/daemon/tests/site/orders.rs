//! An operator's orders to a running site: what the neighbour sees of them, what survives a crash, and what is refused.

use crate::world::{World, until};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// A drain that does not end while a test looks.
const LONG: &str = "drain = \"1h\"\nconverge = \"1h\"";

fn order(kind: &str, more: &Value) -> Value {
    let mut order = json!({ "schema": 1, "kind": kind, "reason": "line card", "who": "alice" });
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order
}

fn give(world: &World, kind: &str, more: &Value) -> Value {
    let (status, answer) = world.post("/orders", &order(kind, more));
    assert!(status.ends_with("200 OK"), "{status} {answer}");
    answer
}

fn group(world: &World) -> Value {
    world.document("/status")["groups"][0].clone()
}

/// Whether BIRD has the route, marked as about to go (RFC 8326).
fn is_going(world: &World) -> bool {
    world.birdc("show route all 198.18.0.0/24").contains("(65535,0)")
}

#[test]
fn a_drain_survives_a_crash_and_a_resume_ends_it() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let mut daemon = world.daemon_with("drain = \"2s\"", LONG);
    until("both prefixes are announced", || world.is_announced());

    let rehearsed = give(&world, "drain", &json!({ "dry_run": true, "service": "dns" }));
    assert_eq!((&rehearsed["accepted"], &rehearsed["dry_run"]), (&json!(true), &json!(true)));
    let change = &rehearsed["groups"][0];
    assert_eq!(
        (&change["before"]["output"], &change["after"]["output"]),
        (&json!("normal"), &json!("gshut"))
    );
    assert_eq!(change["finally"], json!({ "output": "none", "after_ms": 3_600_000 }));
    assert_eq!(change["survivors"]["enough"], Value::Null, "nobody knows");
    assert_eq!(change["routes"].as_array().unwrap().len(), 2, "{change}");
    assert_eq!(change["routes"][0]["after"]["communities"], json!(["65535:0"]));
    assert_eq!((group(&world)["state"].clone(), world.updates()), (json!("up"), 2), "nothing was changed");
    assert_eq!(world.count("ordered"), 0);

    let done = give(&world, "drain", &json!({}));
    assert_eq!(done["groups"][0]["routes"], change["routes"], "what was rehearsed is what was done");
    until("BIRD prefers any other way", || is_going(&world));
    assert!(world.is_announced() && world.is_answered("198.18.0.53"));
    let drained = group(&world);
    assert_eq!((&drained["state"], &drained["intent"]["kind"]), (&json!("drain"), &json!("drain")));
    let intent = (&drained["intent"]["who"], &drained["intent"]["reason"], &drained["intent"]["until"]);
    assert_eq!(intent, (&json!("alice (as root)"), &json!("line card"), &Value::Null));

    daemon.kill();
    until("the kernel has withdrawn both", || world.is_withdrawn());
    let _daemon = world.daemon_with("drain = \"2s\"", LONG);
    // The socket's file of the daemon before is still there.
    until("it listens again", || std::os::unix::net::UnixStream::connect(world.path("api.sock")).is_ok());
    until("the service is as well as can be", || {
        let (status, body) = world.get("/status");
        let status: Value =
            if status.ends_with("200 OK") { serde_json::from_str(&body).unwrap() } else { json!({}) };
        let checks = status["groups"][0]["checks"].as_array().cloned().unwrap_or_default();
        !checks.is_empty() && checks.iter().all(|check| check["run"].as_u64() >= Some(20))
    });
    assert!(world.is_withdrawn(), "the order stands");
    assert_eq!(group(&world)["intent"], drained["intent"]);

    give(&world, "resume", &json!({}));
    until("both prefixes are announced again", || world.is_announced());
    assert!(!is_going(&world));
    assert_eq!(group(&world)["intent"]["kind"], "normal");
}

#[test]
fn a_drain_ends_withdrawn_and_its_time_ends_it() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    let done = give(&world, "drain", &json!({ "for_ms": 10_000 }));
    assert!(done["groups"][0]["intent"]["until"].is_u64());
    until("both prefixes are withdrawn", || world.is_withdrawn());
    assert!(world.is_answered("198.18.0.53"), "the service answers on");
    until("the time of the order is over", || world.count("order-expired") == 1);
    until("both prefixes are announced again", || world.is_announced());
}

#[test]
fn a_frozen_group_stays_as_it_is_and_says_so() {
    let world = World::new();
    let _bird = world.bird();
    let mut nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    give(&world, "freeze", &json!({}));
    nsd.kill();
    until("the checks have failed", || {
        let group = group(&world);
        group["checks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|check| check["last"] == "fail" && check["run"].as_u64() >= Some(5))
    });
    assert!(world.is_announced());
    let status = world.document("/status");
    let frozen = status["alarms"].as_array().unwrap().iter().find(|alarm| alarm["kind"] == "frozen").unwrap();
    assert_eq!(frozen["subject"], "dns");
    assert!(world.get("/metrics").1.contains("catchment_alarm{kind=\"frozen\",subject=\"dns\"} 1"));
    give(&world, "resume", &json!({}));
    until("both prefixes are withdrawn", || world.is_withdrawn());
    assert!(!world.get("/metrics").1.contains("kind=\"frozen\",subject=\"dns\"} 1"));
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let world = World::new();
    let _bird = world.bird();
    let _nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    let head = "Host: localhost\r\nContent-Type: application/json";
    let post = |body: &str| {
        world.exchange(&format!(
            "POST /orders HTTP/1.0\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    let refused = [
        (order("drain", &json!({ "service": "web" })), "there is no service `web` here"),
        (order("drain", &json!({ "reason": "  " })), "`drain` needs a reason"),
        (order("drain", &json!({ "reason": "x".repeat(201) })), "at most 200 characters"),
        (order("drain", &json!({ "for_ms": 5 })), "1 s to 31 days"),
        (order("resume", &json!({ "for_ms": 5000 })), "takes no time"),
        (order("freeze", &json!({ "override_guard": true })), "`freeze` overrides no guard"),
        (order("drain", &json!({ "dryrun": true })), "unknown field `dryrun`"),
        (order("drown", &json!({})), "this is no order"),
        (order("drain", &json!({ "schema": 2 })), "schema 2"),
    ];
    for (order, words) in refused {
        let (status, body) = post(&order.to_string());
        assert!(status.contains("400") && body.contains(words), "{order}: {status} {body}");
    }
    for garbage in ["", "[", "\u{0}\u{1}", "nonsense"] {
        assert!(post(garbage).0.contains("400"), "{garbage:?}");
    }
    assert!(post(&"x".repeat(20_000)).0.contains("413"));

    // Who can only reach the listener orders nothing.
    let body = order("drain", &json!({})).to_string();
    let mut stream = world.site.run(|| TcpStream::connect("127.0.0.1:9053")).unwrap().unwrap();
    let length = body.len();
    write!(stream, "POST /orders HTTP/1.0\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 404"), "{answer}");

    assert_eq!(
        (group(&world)["state"].clone(), world.count("ordered"), world.updates()),
        (json!("up"), 0, 2)
    );
}

#[test]
fn orders_that_never_arrive_delay_nothing() {
    let world = World::new();
    let _bird = world.bird();
    let mut nsd = world.nsd();
    let _daemon = world.daemon();
    until("both prefixes are announced", || world.is_announced());
    let half = "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{";
    let slow: Vec<UnixStream> = (0..50)
        .map(|_| {
            let mut stream = UnixStream::connect(world.path("api.sock")).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            stream.write_all(half.as_bytes()).unwrap();
            stream
        })
        .collect();
    nsd.kill();
    until("both prefixes are withdrawn", || world.is_withdrawn());
    give(&world, "freeze", &json!({}));
    assert_eq!(group(&world)["intent"]["kind"], "freeze");
    drop(slow);
}
