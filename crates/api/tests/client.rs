//! The client against a real server on a Unix socket, and against what is no server.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use api::client::{Client, ClientError, MAX_ROW, Server, blocking};
use api::{Command, Done, EventList, FaultKind, Live, Outcome, Refusal, Sample, Schema, Status, route};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::routing::{get, post};
use std::convert::Infallible;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::net::UnixListener;

/// A server on a socket that lives as long as the runtime of the test.
fn serve(router: axum::Router) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let socket = directory.path().join("api.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (directory, socket)
}

#[tokio::test]
async fn a_document_and_a_command_make_the_round_trip() {
    let answer = |Json(command): Json<Command>| async move {
        Json(Done { schema: Schema, said: format!("{} {}", command.kind, command.target) })
    };
    let router = axum::Router::new()
        .route(route::EVENTS, get(async || Json(EventList::default())))
        .route(route::COMMAND, post(answer));
    let (_directory, socket) = serve(router);
    let client = Client::of(Server::Lab, socket);
    assert_eq!(client.get::<EventList>(route::EVENTS).await.unwrap(), EventList::default());
    let command = Command { kind: FaultKind::Cut, target: "cable a-b".into() };
    let done: Done = client.post(route::COMMAND, &command).await.unwrap();
    assert_eq!(done.said, "cut cable a-b");
}

#[tokio::test]
async fn nobody_there_says_what_to_start() {
    let directory = TempDir::new().unwrap();
    let socket = directory.path().join("api.sock");
    let error = Client::of(Server::Daemon, &socket).get::<Status>(route::STATUS).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("no daemon answers on {}: is `catchment run` running?", socket.display())
    );
    // A socket file that a killed daemon left behind is no daemon either.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let error = Client::of(Server::Daemon, &socket).get::<Status>(route::STATUS).await.unwrap_err();
    assert!(matches!(error, ClientError::NobodyThere { .. }), "{error}");
}

#[tokio::test]
async fn the_words_of_a_refusal_arrive() {
    let refuse =
        async || (StatusCode::CONFLICT, Json(Refusal::because("no site `x`").hint("there is `london`")));
    let router = axum::Router::new()
        .route("/no", get(refuse))
        .route("/bare", get(async || StatusCode::INTERNAL_SERVER_ERROR));
    let (_directory, socket) = serve(router);
    let client = Client::of(Server::Lab, socket);
    let error = client.get::<Done>("/no").await.unwrap_err();
    assert_eq!(error.to_string(), "no site `x` (there is `london`)");
    let error = client.get::<Done>("/bare").await.unwrap_err();
    assert!(matches!(error, ClientError::Status { status: 500, .. }), "{error}");
}

#[tokio::test]
async fn an_answer_of_another_schema_is_not_understood() {
    let router = axum::Router::new().route(route::EVENTS, get(async || r#"{"schema":2,"events":[]}"#));
    let (_directory, socket) = serve(router);
    let error = Client::of(Server::Daemon, socket).get::<EventList>(route::EVENTS).await.unwrap_err();
    assert!(error.to_string().contains("schema 2"), "{error}");
}

#[tokio::test]
async fn rows_are_put_together_whatever_the_packets_were() {
    let pieces = ["1\n", "2", "3\n\n4", "\n", "5"].map(|piece| Ok::<_, Infallible>(Bytes::from(piece)));
    let body = Body::from_stream(tokio_stream::iter(pieces));
    let slot = std::sync::Mutex::new(Some(body));
    let slot = std::sync::Arc::new(slot);
    let router = axum::Router::new().route(
        route::FOLLOW,
        get(move || {
            let body = slot.lock().unwrap().take().unwrap();
            async { body }
        }),
    );
    let (_directory, socket) = serve(router);
    let mut rows = Client::of(Server::Daemon, socket).follow::<u32>(route::FOLLOW).await.unwrap();
    let mut seen = Vec::new();
    while let Some(row) = rows.next().await.unwrap() {
        seen.push(row);
    }
    assert_eq!(seen, [1, 23, 4], "the row that the end cut off is dropped");
}

#[tokio::test]
async fn an_endless_row_is_given_up() {
    let router = axum::Router::new().route(route::FOLLOW, get(async || vec![b'1'; MAX_ROW + 2]));
    let (_directory, socket) = serve(router);
    let mut rows = Client::of(Server::Daemon, socket).follow::<u32>(route::FOLLOW).await.unwrap();
    let error = rows.next().await.unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");
}

#[test]
fn the_live_stream_is_read_as_the_page_reads_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let sample = Sample { ribbon: 3, at_ms: 1200, outcome: Outcome::Silent, family: None };
    let text = ": still here\n\nevent: samples\ndata: [[3,1200,null,null,null]]\n\n\
                event: of-tomorrow\ndata: {}\n\nevent: samples\ndata: []\n\nevent: samples\ndata: [[3,1200,";
    let router = axum::Router::new().route(route::LIVE, get(async move || text));
    let (_directory, socket) = runtime.block_on(async { serve(router) });
    let live = |socket| blocking::Client::of(Server::Lab, socket).unwrap().live().unwrap();
    let messages: Vec<Live> = live(&socket).map(Result::unwrap).collect();
    assert_eq!(messages, [Live::Samples(vec![sample]), Live::Samples(Vec::new())]);

    let router = axum::Router::new().route(route::LIVE, get(async || "event: picture\ndata: {}\n\n"));
    let (_directory, socket) = runtime.block_on(async { serve(router) });
    let error = live(&socket).next().unwrap().unwrap_err();
    assert!(error.to_string().contains("not understood"), "{error}");
}

#[test]
fn a_command_without_a_runtime_can_ask_and_follow() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let router = axum::Router::new()
        .route(route::EVENTS, get(async || Json(EventList::default())))
        .route(route::FOLLOW, get(async || "1\n2\n"));
    let (_directory, socket) = runtime.block_on(async { serve(router) });
    let client = blocking::Client::of(Server::Daemon, &socket).unwrap();
    assert_eq!(client.get::<EventList>(route::EVENTS).unwrap(), EventList::default());
    let rows: Vec<u32> = client.follow(route::FOLLOW).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows, [1, 2]);
}
