//! `status`, `events` and `explain` against a daemon of a few lines that says what it is told to say.
#![allow(clippy::unwrap_used, reason = "what cannot be made fails the test")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

/// Answers one request with `status` and `body` and returns its first line.
fn asked(arguments: &[&str], status: &str, body: &str) -> (Output, String) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("api.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let daemon = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        let head: Vec<String> = head.take_while(|line| !line.is_empty()).collect();
        stream.write_all(answer.as_bytes()).unwrap();
        head[0].clone()
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_catchment"));
    let output = command.args(arguments).arg("--socket").arg(&socket).output().unwrap();
    (output, daemon.join().unwrap())
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn sample(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands").join(name)).unwrap()
}

const ROWS: [&str; 2] = [
    r#"{"seq":1,"at_ms":5,"wall":1795442600000,"severity":"info","kind":"started","subject":"","text":"started"}"#,
    r#"{"seq":2,"at_ms":9,"wall":1795442600004,"severity":"alarm","kind":"blind","subject":"dns","text":"blind"}"#,
];

#[test]
fn status_is_a_page_or_the_daemons_document() {
    let (page, request) = asked(&["status"], "200 OK", &sample("status.json"));
    assert_eq!((page.status.code(), request.as_str()), (Some(0), "GET /status HTTP/1.1"));
    assert!(out(&page).starts_with("site london\n\nALARM web: "), "{}", out(&page));
    assert!(!out(&page).contains('\x1b'));

    let (document, _) = asked(&["status", "--json"], "200 OK", &sample("status.json"));
    let said: serde_json::Value = serde_json::from_str(out(&document)).unwrap();
    let known: serde_json::Value = serde_json::from_str(&sample("status.json")).unwrap();
    assert_eq!(said, known);
}

#[test]
fn events_are_lines_one_document_or_a_stream() {
    let list = format!(r#"{{"schema":1,"events":[{}]}}"#, ROWS.join(","));
    let (page, request) = asked(&["events"], "200 OK", &list);
    assert_eq!(request, "GET /events HTTP/1.1");
    assert_eq!(
        out(&page),
        "2026-11-23 14:03:20.000  info     started\n2026-11-23 14:03:20.004  ALARM    dns: blind\n"
    );
    let (document, _) = asked(&["events", "--json"], "200 OK", &list);
    let said: serde_json::Value = serde_json::from_str(out(&document)).unwrap();
    assert_eq!((said["schema"].as_u64(), said["events"][1]["seq"].as_u64()), (Some(1), Some(2)));

    let (stream, request) =
        asked(&["events", "--follow", "--json"], "200 OK", &format!("{}\n", ROWS.join("\n")));
    assert_eq!(request, "GET /events/follow HTTP/1.1");
    let rows: Vec<serde_json::Value> =
        out(&stream).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["kind"], "blind");
}

#[test]
fn a_refusal_is_a_no_in_the_daemons_words() {
    let body = r#"{"schema":1,"error":"no group announces 10.0.0.0/8","hint":"known: 198.18.0.0/24"}"#;
    let (refused, request) = asked(&["explain", "10.0.0.0/8"], "404 Not Found", body);
    assert_eq!(request, "GET /explain?prefix=10.0.0.0/8 HTTP/1.1");
    assert_eq!((refused.status.code(), out(&refused)), (Some(1), ""));
    assert_eq!(
        std::str::from_utf8(&refused.stderr).unwrap(),
        "catchment: no group announces 10.0.0.0/8 (known: 198.18.0.0/24)\n"
    );
}

#[test]
fn what_becomes_of_an_order_is_the_exit_code() {
    let drain = ["drain", "dns", "--for", "10m", "--reason", "kernel upgrade"];
    let (done, request) = asked(&drain, "200 OK", &sample("order.json"));
    assert_eq!((done.status.code(), request.as_str()), (Some(0), "POST /orders HTTP/1.1"));
    assert!(
        out(&done).starts_with("dns (services dns, ntp) went from up (normal) to drain (gshut)"),
        "{}",
        out(&done)
    );

    let not_permitted = sample("order.json").replace("\"accepted\": true", "\"accepted\": false");
    let (rehearsed, _) = asked(&["drain", "--dry-run", "--json", "--reason", "x"], "200 OK", &not_permitted);
    assert_eq!(rehearsed.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_str(out(&rehearsed)).unwrap();
    assert_eq!(document["accepted"], false);

    let refusal = r#"{"schema":1,"error":"the fleet did not permit it; nothing has changed","hint":"wait"}"#;
    for (status, code) in [("409 Conflict", 1), ("400 Bad Request", 2)] {
        let (refused, _) = asked(&["withdraw", "--reason", "x"], status, refusal);
        assert_eq!((refused.status.code(), out(&refused)), (Some(code), ""), "{status}");
        let words = "catchment: the fleet did not permit it; nothing has changed (wait)\n";
        assert_eq!(std::str::from_utf8(&refused.stderr).unwrap(), words);
    }
}

#[test]
fn nonsense_from_the_daemon_is_a_no_and_no_panic() {
    for body in ["", "{}", "[1", r#"{"schema":2}"#] {
        let (output, _) = asked(&["status"], "200 OK", body);
        assert_eq!((output.status.code(), out(&output)), (Some(1), ""), "{body}");
        assert!(!output.stderr.is_empty());
    }
}
