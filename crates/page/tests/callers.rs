//! Callers who want to keep a socket busy: slow to ask, slow to read, too much to say, too many.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use page::{MAX_CONNECTIONS, answer};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// More than all the buffers between two ends of a socket hold.
const LARGE: usize = 16 << 20;

async fn open() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let large = Bytes::from(vec![b'x'; LARGE]);
    let router = Router::new()
        .route("/", get(async || "here"))
        .route("/large", get(async move || large.clone()))
        .route("/take", post(async |body: Bytes| body.len().to_string()));
    tokio::spawn(answer(listener, router));
    address
}

async fn say(to: SocketAddr, words: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(words.as_bytes()).await.unwrap();
    stream
}

/// Everything that comes until the other end closes.
async fn hear(mut stream: TcpStream) -> String {
    let mut heard = Vec::new();
    // A reset ends it like a close does.
    let _ = stream.read_to_end(&mut heard).await;
    String::from_utf8(heard).unwrap()
}

async fn is_answered(to: SocketAddr) -> bool {
    hear(say(to, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await)
        .await
        .ends_with("here")
}

#[tokio::test(start_paused = true)]
async fn whoever_never_finishes_its_head_is_shown_the_door() {
    let to = open().await;
    hear(say(to, "").await).await;
    hear(say(to, "GET / HTTP/1.1\r\nHost: local").await).await;
    let idle = hear(say(to, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await).await;
    assert!(idle.ends_with("here"), "{idle}");
}

#[tokio::test(start_paused = true)]
async fn whoever_never_finishes_its_body_is_told_so() {
    let to = open().await;
    let heard =
        hear(say(to, "POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf").await).await;
    assert!(heard.starts_with("HTTP/1.1 408"), "{heard}");
}

#[tokio::test]
async fn too_large_a_body_and_too_large_a_head_are_refused() {
    let to = open().await;
    let announced =
        "POST /take HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 99999999\r\n\r\n";
    assert!(hear(say(to, announced).await).await.starts_with("HTTP/1.1 413"));
    let many = "X-Line: y\r\n".repeat(65);
    let heard = hear(say(to, &format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n")).await).await;
    assert!(heard.starts_with("HTTP/1.1 431"), "{heard}");
    let long = "y".repeat(64 << 10);
    let heard =
        hear(say(to, &format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Line: {long}\r\n\r\n")).await).await;
    assert!(!heard.contains("200 OK"), "{heard}");
    assert!(is_answered(to).await);
}

/// Takes every seat in this way, and asks nevertheless.
async fn is_answered_beside(words: &str) -> bool {
    let to = open().await;
    let mut slow = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        slow.push(say(to, words).await);
    }
    is_answered(to).await
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_every_seat_and_asks_nothing_loses_them() {
    assert!(is_answered_beside("GET ").await);
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_every_seat_and_reads_nothing_loses_them() {
    assert!(is_answered_beside("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").await);
}
