//! The documents that the daemon answers with, on the control socket and on the read-only listener alike.

use crate::continuity::{Asked, Unexplained};
use crate::metrics::Metrics;
use crate::status::Board;
use api::{EventList, EventRow, Explanation, Refusal, Schema, route};
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use terms::Prefix;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many may follow the events at once.
const FOLLOWERS: usize = 64;

/// What the handlers share.
#[derive(Clone)]
struct Desk {
    board: Board,
    metrics: Metrics,
    seats: Arc<Semaphore>,
}

#[derive(Deserialize)]
struct AskedPrefix {
    prefix: Prefix,
}

#[derive(Deserialize)]
struct AskedFlow {
    client: SocketAddr,
    service: Option<SocketAddr>,
}

/// Every document, read-only.
pub(crate) fn documents(board: Board, metrics: Metrics) -> Router {
    let desk = Desk { board, metrics, seats: Arc::new(Semaphore::new(FOLLOWERS)) };
    Router::new()
        .route(route::STATUS, get(async |State(desk): State<Desk>| Json(desk.board.status())))
        .route(route::EVENTS, get(events))
        .route(route::FOLLOW, get(follow))
        .route(route::EXPLAIN, get(explain))
        .route(route::EXPLAIN_FLOW, get(explain_flow))
        .route(route::FLEET, get(async |State(desk): State<Desk>| Json(desk.board.fleet.status())))
        .route(route::FLOWS, get(async |State(desk): State<Desk>| Json(desk.board.moved.flows().await)))
        .route(route::METRICS, get(scrape))
        .with_state(desk)
}

async fn events(State(desk): State<Desk>) -> Json<EventList> {
    Json(EventList { schema: Schema, events: desk.board.bus.latest() })
}

async fn explain(State(desk): State<Desk>, asked: Result<Query<AskedPrefix>, QueryRejection>) -> Response {
    let prefix = match asked {
        Ok(Query(AskedPrefix { prefix })) => prefix,
        Err(error) => {
            let hint = format!("ask for {}?prefix=198.18.0.0/24", route::EXPLAIN);
            let refusal = Refusal::because(error.body_text()).hint(hint);
            return (StatusCode::BAD_REQUEST, Json(refusal)).into_response();
        }
    };
    match desk.board.explain(prefix) {
        Ok(explanation) => {
            Json(Explanation { heard: desk.board.heard(prefix).await, ..explanation }).into_response()
        }
        Err(refusal) => (StatusCode::NOT_FOUND, Json(refusal)).into_response(),
    }
}

async fn explain_flow(State(desk): State<Desk>, asked: Result<Query<AskedFlow>, QueryRejection>) -> Response {
    let AskedFlow { client, service } = match asked {
        Ok(Query(asked)) => asked,
        Err(error) => {
            let hint =
                format!("ask for {}?client=203.0.113.7:40000&service=198.18.0.53:443", route::EXPLAIN_FLOW);
            let refusal = Refusal::because(error.body_text()).hint(hint);
            return (StatusCode::BAD_REQUEST, Json(refusal)).into_response();
        }
    };
    match desk.board.moved.explain(Asked { client, service }).await {
        Ok(explanation) => Json(explanation).into_response(),
        Err(unexplained) => refused(unexplained),
    }
}

fn refused(unexplained: Unexplained) -> Response {
    let (status, refusal) = match unexplained {
        Unexplained::Unknown(refusal) => (StatusCode::NOT_FOUND, refusal),
        Unexplained::NotNow(refusal) => (StatusCode::SERVICE_UNAVAILABLE, refusal),
    };
    (status, Json(refusal)).into_response()
}

async fn scrape(State(desk): State<Desk>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], desk.metrics.render(&desk.board.status(), &desk.board.fleet.status()))
        .into_response()
}

async fn follow(State(desk): State<Desk>) -> Response {
    let Ok(seat) = desk.seats.clone().try_acquire_owned() else {
        let refusal = Refusal::because("too many follow the events already");
        return (StatusCode::SERVICE_UNAVAILABLE, Json(refusal)).into_response();
    };
    let (earlier, later) = desk.board.bus.follow();
    let rows = stream::iter(earlier).chain(rows(later, seat)).map(|row| Ok::<_, Infallible>(line(&row)));
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(rows)).into_response()
}

/// Every row from now on. A follower that falls behind misses rows and sees it by their numbers.
fn rows(receiver: Receiver<EventRow>, seat: OwnedSemaphorePermit) -> impl Stream<Item = EventRow> {
    stream::unfold((receiver, seat), async |(mut receiver, seat)| {
        loop {
            match receiver.recv().await {
                Ok(row) => return Some((row, (receiver, seat))),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    })
}

fn line(row: &EventRow) -> Bytes {
    // A row of plain text and numbers always has a JSON form.
    let mut line = serde_json::to_vec(row).unwrap_or_default();
    line.push(b'\n');
    Bytes::from(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_said_now_is_no_missing_document() {
        let refusal = || Refusal::because("ask again");
        assert_eq!(refused(Unexplained::NotNow(refusal())).status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused(Unexplained::Unknown(refusal())).status(), StatusCode::NOT_FOUND);
    }
}
