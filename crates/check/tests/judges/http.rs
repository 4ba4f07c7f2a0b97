use crate::{bodies, corpus};
use check::Progress;
use check::http::Expectation;
use proptest::prelude::*;
use terms::Verdict;

fn expectation(contains: Option<&str>) -> Expectation {
    Expectation {
        host: "www.example.com:8080".to_owned(),
        target: "/health?deep=1".to_owned(),
        statuses: vec![200, 204],
        contains: contains.map(str::to_owned),
    }
}

fn words(expectation: &Expectation, octets: &[u8], ended: bool) -> String {
    match expectation.judge(octets, ended) {
        Progress::More => "more".to_owned(),
        Progress::Done(verdict) => bodies::words(&verdict),
    }
}

#[test]
fn the_request_is_one_line_and_its_fields() {
    let request = String::from_utf8(expectation(None).request()).unwrap();
    let lines: Vec<&str> = request.split("\r\n").collect();
    assert_eq!(lines[..2], ["GET /health?deep=1 HTTP/1.1", "Host: www.example.com:8080"]);
    assert!(lines.contains(&"Connection: close"));
    assert!(request.ends_with("\r\n\r\n"));
}

#[test]
fn verdicts() {
    let (status, ready) = (expectation(None), expectation(Some("ready")));
    let fields = |number: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(number));
    let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(20_000));
    let big = format!("HTTP/1.1 200 OK\r\n\r\n{}ready", "x".repeat(70_000));
    let rows: [(&str, &Expectation, &str, bool); 30] = [
        ("good", &status, "HTTP/1.1 200 OK\r\n\r\n", false),
        ("another good status", &status, "HTTP/1.1 204 No Content\r\n\r\n", false),
        ("HTTP/1.0", &status, "HTTP/1.0 200 OK\r\n\r\n", false),
        ("another status", &status, "HTTP/1.1 503 Service Unavailable\r\n\r\n", false),
        ("a redirect", &status, "HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", false),
        ("half a head", &status, "HTTP/1.1 200 OK\r\nA: b\r\n", false),
        ("half a head, then closed", &status, "HTTP/1.1 200 OK\r\nA: b\r\n", true),
        ("closed at once", &status, "", true),
        ("an interim response", &status, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", false),
        ("only an interim response", &status, "HTTP/1.1 100 Continue\r\n\r\n", false),
        ("another protocol", &status, "SSH-2.0-OpenSSH_9.2\r\n", false),
        ("HTTP/2", &status, "HTTP/2 200\r\n\r\n", false),
        ("64 fields", &status, &fields(64), false),
        ("65 fields", &status, &fields(65), false),
        ("a head without an end", &status, &endless, false),
        ("the text", &ready, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready", false),
        ("the text, before its end", &ready, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nis ready", false),
        ("another text", &ready, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nredy", false),
        ("the text behind the end", &ready, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nready", false),
        ("cut short", &ready, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nread", true),
        ("until it closes", &ready, "HTTP/1.1 200 OK\r\n\r\nread", false),
        ("closed", &ready, "HTTP/1.1 200 OK\r\n\r\nread", true),
        (
            "chunks",
            &ready,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n",
            false,
        ),
        (
            "the last chunk",
            &ready,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3\r\nrea\r\n0\r\n\r\n",
            false,
        ),
        ("half a chunk", &ready, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nrea", false),
        (
            "a malformed chunk",
            &ready,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nreaXX",
            false,
        ),
        ("a malformed length", &ready, "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nready", false),
        (
            "two lengths",
            &ready,
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nready",
            false,
        ),
        ("packed", &ready, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nready", false),
        ("too far in", &ready, &big, false),
    ];
    let row = |(title, expectation, text, ended): &(&str, &Expectation, &str, bool)| {
        format!("{title:32} {}\n", words(expectation, text.as_bytes(), *ended))
    };
    insta::assert_snapshot!(rows.iter().map(row).collect::<String>());
}

#[test]
fn the_corpus_is_judged() {
    corpus("check_http", bodies::http);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_octets_are_judged(octets in prop::collection::vec(any::<u8>(), 0..200), looks_right: bool) {
        let head: &[u8] = if looks_right { b"HTTP/1.1 200 OK\r\n" } else { b"" };
        bodies::http(&[head, &octets].concat());
    }

    /// However a good response is framed and cut into pieces, it passes, and not before its text has come.
    #[test]
    fn a_good_response_passes_however_it_is_framed(
        before in "[a-z ]{0,40}", after in "[a-z ]{0,40}", size in 1_usize..20, framing in 0..3,
    ) {
        prop_assume!(!before.contains("ready"));
        let body = format!("{before}READY{after}");
        let (fields, body) = match framing {
            0 => (String::new(), body),
            1 => (format!("Content-Length: {}\r\n", body.len()), body),
            _ => {
                let chunk = |piece: &[u8]| format!("{:x}\r\n{}\r\n", piece.len(), String::from_utf8_lossy(piece));
                let chunks: String = body.as_bytes().chunks(size).map(chunk).collect();
                ("Transfer-Encoding: chunked\r\n".to_owned(), format!("{chunks}0\r\n\r\n"))
            }
        };
        let response = format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}");
        let wants = expectation(Some("READY"));
        prop_assert_eq!(wants.judge(response.as_bytes(), true), Progress::Done(Verdict::Pass));
        let lacks = expectation(Some("STEADY"));
        prop_assert_ne!(lacks.judge(response.as_bytes(), true), Progress::Done(Verdict::Pass));
        for length in 0..response.len() - body.len() + before.len() {
            prop_assert_eq!(wants.judge(&response.as_bytes()[..length], false), Progress::More);
        }
    }
}
