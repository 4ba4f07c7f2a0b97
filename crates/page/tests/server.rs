//! A page on the loopback, and requests as a browser, a foreign page and an attacker would send them.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use api::{Done, EventRow, Live, Outcome, Picture, PictureKind, Refusal, Sample, Schema};
use axum::Router;
use axum::routing::get;
use page::{Feed, Order, TOKEN_HEADER, serve};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use terms::{Severity, WallTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc, watch};

const COMMAND: &str = r#"{"kind":"power-cut","target":"site london"}"#;

struct Page {
    address: SocketAddr,
    picture: watch::Sender<Arc<Picture>>,
    live: broadcast::Sender<Live>,
    orders: Option<mpsc::Receiver<Order>>,
}

async fn open(buttons: bool) -> Page {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (picture, shown) = watch::channel(Arc::new(picture(0)));
    let (live, _) = broadcast::channel(1024);
    let (commands, orders) = mpsc::channel(1);
    let (commands, orders) = if buttons { (Some(commands), Some(orders)) } else { (None, None) };
    let more = Router::new().route("/status", get(async || "more"));
    let feed = Feed { picture: shown, live: live.clone(), commands, more };
    tokio::spawn(serve(listener, feed));
    Page { address, picture, live, orders }
}

fn picture(at_ms: u64) -> Picture {
    Picture { at_ms, ..Picture::empty(PictureKind::Lab, "earth", WallTime(0)) }
}

fn event(seq: u64) -> EventRow {
    let (kind, subject, text) = ("fault".into(), "london".into(), "power cut".into());
    EventRow { seq, at_ms: seq, wall: WallTime(0), severity: Severity::Notice, kind, subject, text }
}

impl Page {
    async fn connect(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// One request as it is written; the whole answer.
    async fn ask(&self, head: &str, body: &str) -> String {
        let length = body.len();
        let request = format!("{head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        let mut answer = String::new();
        self.connect(&request).await.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {}", self.address), "").await
    }

    /// The token as the page itself reads it.
    async fn token(&self) -> String {
        let document = self.get("/").await;
        let after = document.split("catchment-token\" content=\"").nth(1).unwrap();
        after.split('"').next().unwrap().to_owned()
    }

    async fn command(&self, headers: &[(&str, &str)], body: &str) -> String {
        let headers: String = headers.iter().map(|(name, value)| format!("\r\n{name}: {value}")).collect();
        self.ask(&format!("POST /command HTTP/1.1{headers}"), body).await
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn every_route_answers_under_the_policy() {
    let page = open(true).await;
    for path in ["/", "/picture", "/healthz", "/style.css", "/page.js", "/icon.svg", "/status"] {
        let answer = page.get(path).await;
        let head = answer.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
        assert_eq!(status(&answer), 200, "{path}");
        assert!(head.contains("content-security-policy: default-src 'self'"), "{path}: {head}");
        assert!(head.contains("x-content-type-options: nosniff"), "{path}: {head}");
        assert!(!head.contains("access-control-"), "{path}: {head}");
    }
    let script = page.get("/page.js").await;
    assert!(script.contains("content-type: text/javascript"), "a module of another type is not run");
    assert!(page.get("/picture").await.contains(r#""schema":1,"kind":"lab","title":"earth""#));
    assert_eq!(status(&page.get("/nothing").await), 404);
}

#[tokio::test]
async fn a_command_with_token_and_origin_arrives_and_is_answered() {
    let mut page = open(true).await;
    let mut orders = page.orders.take().unwrap();
    tokio::spawn(async move {
        while let Some(order) = orders.recv().await {
            let target = order.command.target;
            let answer = match target.as_str() {
                "site london" => Ok(Done { schema: Schema, said: "dark".into() }),
                _ => Err(Refusal::because("no such site").hint("there is london")),
            };
            order.answer.send(answer).unwrap();
        }
    });
    let (host, token) = (page.address.to_string(), page.token().await);
    let origin = format!("http://{host}");
    let ours = [("Host", host.as_str()), ("Origin", &origin), (TOKEN_HEADER, &token)];
    let answer = page.command(&ours, COMMAND).await;
    assert!(status(&answer) == 200 && answer.ends_with(r#"{"schema":1,"said":"dark"}"#), "{answer}");
    let answer = page.command(&ours, &COMMAND.replace("london", "x")).await;
    assert!(status(&answer) == 409 && answer.contains("no such site"), "{answer}");
    let answer = page.command(&ours, "[]").await;
    assert!(status(&answer) == 400 && answer.contains("no command"), "{answer}");
    let answer = page.command(&ours, &" ".repeat(5000)).await;
    assert_eq!(status(&answer), 413);
}

#[tokio::test]
async fn whoever_is_not_our_page_changes_nothing() {
    let mut page = open(true).await;
    let (host, token) = (page.address.to_string(), page.token().await);
    let (origin, wrong) = (format!("http://{host}"), "0".repeat(64));
    let evil = format!("evil.example:{}", page.address.port());
    let evil_origin = format!("http://{evil}");
    let attempts: [(&str, &[(&str, &str)]); 8] = [
        ("no token", &[("Host", &host), ("Origin", &origin)]),
        ("a wrong token", &[("Host", &host), ("Origin", &origin), (TOKEN_HEADER, &wrong)]),
        ("no origin", &[("Host", &host), (TOKEN_HEADER, &token)]),
        ("a foreign origin", &[("Host", &host), ("Origin", "http://evil.example"), (TOKEN_HEADER, &token)]),
        ("a sandboxed frame", &[("Host", &host), ("Origin", "null"), (TOKEN_HEADER, &token)]),
        ("another port", &[("Host", &host), ("Origin", "http://127.0.0.1:1"), (TOKEN_HEADER, &token)]),
        ("a name that was rebound", &[("Host", &evil), ("Origin", &evil_origin), (TOKEN_HEADER, &token)]),
        ("no host", &[("Origin", &origin), (TOKEN_HEADER, &token)]),
    ];
    for (attempt, headers) in attempts {
        let answer = page.command(headers, COMMAND).await;
        assert_eq!(status(&answer), 403, "{attempt}: {answer}");
    }
    assert!(page.orders.take().unwrap().try_recv().is_err(), "an order got through");
}

#[tokio::test]
async fn a_foreign_host_reads_nothing() {
    let page = open(true).await;
    for path in ["/", "/picture", "/live", "/healthz", "/page.js", "/status"] {
        let answer = page.ask(&format!("GET {path} HTTP/1.1\r\nHost: evil.example"), "").await;
        assert_eq!(status(&answer), 403, "{path}");
        assert!(answer.contains("this Host is not served"), "{answer}");
    }
    let twice = format!("GET /picture HTTP/1.1\r\nHost: {}\r\nHost: evil.example", page.address);
    assert_ne!(status(&page.ask(&twice, "").await), 200);
}

#[tokio::test]
async fn a_page_that_may_only_look_has_no_token_and_takes_no_command() {
    let page = open(false).await;
    assert_eq!(page.token().await, "");
    let (host, origin) = (page.address.to_string(), format!("http://{}", page.address));
    let answer = page.command(&[("Host", &host), ("Origin", &origin), (TOKEN_HEADER, "")], COMMAND).await;
    assert_eq!(status(&answer), 404);
}

/// An open stream and what was read of it.
struct Stream {
    socket: TcpStream,
    text: String,
}

impl Stream {
    async fn of(page: &Page) -> Stream {
        let request = format!("GET /live HTTP/1.1\r\nHost: {}\r\n\r\n", page.address);
        Stream { socket: page.connect(&request).await, text: String::new() }
    }

    /// Reads until the words come.
    async fn until(&mut self, words: &str) -> &str {
        let mut chunk = vec![0; 65536];
        let mut searched = 0;
        while !self.text[searched..].contains(words) {
            searched = self.text.len().saturating_sub(words.len());
            let length = self.socket.read(&mut chunk).await.unwrap();
            assert!(length > 0, "the stream ended without `{words}`");
            self.text += str::from_utf8(&chunk[..length]).unwrap();
        }
        &self.text
    }
}

#[tokio::test]
async fn who_comes_late_is_told_the_last_minute() {
    let page = open(false).await;
    let mut first = Stream::of(&page).await;
    assert!(first.until("event: samples").await.contains("event: picture\ndata: {\"schema\":1"));
    let outcome = Outcome::Answered { site: 0, rtt_ms: 1.5 };
    let sample = Sample { ribbon: 3, at_ms: 500, outcome, family: None };
    page.live.send(Live::Samples(vec![sample])).unwrap();
    page.live.send(Live::Event(event(7))).unwrap();
    first.until("\"seq\":7").await;
    let mut late = Stream::of(&page).await;
    assert!(late.until("\"seq\":7").await.contains("event: samples\ndata: [[3,500,0,1.5,null]]"));
}

#[tokio::test]
async fn a_new_picture_is_pushed() {
    let page = open(false).await;
    let mut stream = Stream::of(&page).await;
    stream.until("event: samples").await;
    page.picture.send_replace(Arc::new(picture(1234)));
    stream.until("\"at_ms\":1234").await;
}

#[tokio::test]
async fn a_reader_that_sleeps_loses_messages_and_is_told_the_whole_again() {
    let page = open(false).await;
    let mut sleeper = Stream::of(&page).await;
    let mut witness = Stream::of(&page).await;
    sleeper.until("event: samples").await;
    witness.until("event: samples").await;
    // More than socket buffers and the ring hold, at the pace of a reader who does read.
    let long = "x".repeat(64 * 1024);
    let total = 600;
    for seq in 1..=total as u64 {
        page.live.send(Live::Event(EventRow { text: long.clone(), ..event(seq) })).unwrap();
        witness.until(&format!("\"seq\":{seq},")).await;
        witness.text.clear();
    }
    let heard = sleeper.until(&format!("\"seq\":{total},")).await;
    assert!(heard.matches("event: picture").count() >= 2, "it was not told the whole again");
    let rows: BTreeSet<&str> =
        heard.split("\"seq\":").skip(1).filter_map(|rest| rest.split(',').next()).collect();
    assert!(rows.len() < total, "everything was kept for it: memory is not bounded");
}

#[tokio::test]
async fn only_so_many_pages_are_open_at_once() {
    let page = open(false).await;
    let mut open_pages = Vec::new();
    for _ in 0..64 {
        let mut stream = Stream::of(&page).await;
        stream.until("event: picture").await;
        open_pages.push(stream);
    }
    assert_eq!(status(&page.get("/live").await), 503);
    assert_eq!(status(&page.get("/healthz").await), 200, "the rest is still served");
    // Whoever leaves makes room: the server notices with the next message.
    drop(open_pages.pop());
    loop {
        let _ = page.live.send(Live::Event(event(1)));
        let mut next = Stream::of(&page).await;
        if !next.until("HTTP/1.1 ").await.contains(" 503 ") {
            break;
        }
        tokio::task::yield_now().await;
    }
}
