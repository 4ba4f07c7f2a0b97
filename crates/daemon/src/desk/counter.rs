//! Where orders come in: on the control socket only, never where others can reach it.

use super::{Refused, Request};
use crate::caller::Caller;
use api::Refusal;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// Longest order, octets.
const LONGEST: usize = 8 * 1024;

/// The route that takes orders of one kind. It must be served to [`Callers`](crate::caller::Callers).
pub(crate) fn counter<O, A>(route: &str, desk: mpsc::Sender<Request<O, A>>) -> Router
where
    O: DeserializeOwned + Send + 'static,
    A: Serialize + Send + 'static,
{
    Router::new().route(route, post(take::<O, A>)).with_state(desk)
}

async fn take<O: DeserializeOwned, A: Serialize>(
    State(desk): State<mpsc::Sender<Request<O, A>>>,
    Extension(caller): Extension<Arc<Caller>>,
    body: Body,
) -> Response {
    let order = match read(body).await {
        Ok(order) => order,
        Err((status, refusal)) => return (status, Json(refusal)).into_response(),
    };
    match hand_over(&desk, order, *caller).await {
        Ok(answer) => Json(answer).into_response(),
        Err((status, refusal)) => (status, Json(refusal)).into_response(),
    }
}

async fn read<O: DeserializeOwned>(body: Body) -> Result<O, (StatusCode, Refusal)> {
    let Ok(octets) = to_bytes(body, LONGEST).await else {
        let refusal = Refusal::because(format!("an order has at most {LONGEST} octets"));
        return Err((StatusCode::PAYLOAD_TOO_LARGE, refusal));
    };
    serde_json::from_slice(&octets)
        .map_err(|error| (StatusCode::BAD_REQUEST, Refusal::because(format!("this is no order: {error}"))))
}

async fn hand_over<O, A>(
    desk: &mpsc::Sender<Request<O, A>>,
    order: O,
    caller: Caller,
) -> Result<A, (StatusCode, Refusal)> {
    let (answer, answered) = oneshot::channel();
    let stopping = || (StatusCode::SERVICE_UNAVAILABLE, Refusal::because("the daemon is stopping"));
    desk.try_send(Request { order, caller, answer }).map_err(|error| match error {
        TrySendError::Full(_) => {
            let refusal = Refusal::because("too many orders at once; nothing was done").hint("try again");
            (StatusCode::SERVICE_UNAVAILABLE, refusal)
        }
        TrySendError::Closed(_) => stopping(),
    })?;
    match answered.await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(Refused::Faulty(refusal))) => Err((StatusCode::BAD_REQUEST, refusal)),
        Ok(Err(Refused::No(refusal))) => Err((StatusCode::CONFLICT, refusal)),
        Err(_) => Err(stopping()),
    }
}
