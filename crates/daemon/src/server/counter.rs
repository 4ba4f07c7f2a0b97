//! Where operators' orders are taken: on the control socket only, never where others can reach it.

use crate::caller::Caller;
use crate::orders::{Refused, Request};
use api::{Order, Ordered, Refusal, route};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use std::sync::Arc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

/// Longest order, octets.
const LONGEST: usize = 8 * 1024;

/// The route that takes orders to the clerk. It must be served to [`Callers`](crate::caller::Callers).
pub(crate) fn counter(clerk: mpsc::Sender<Request>) -> Router {
    Router::new().route(route::ORDERS, post(take)).with_state(clerk)
}

async fn take(
    State(clerk): State<mpsc::Sender<Request>>,
    Extension(caller): Extension<Arc<Caller>>,
    body: Body,
) -> Response {
    let order = match read(body).await {
        Ok(order) => order,
        Err((status, refusal)) => return (status, Json(refusal)).into_response(),
    };
    match hand_over(&clerk, order, *caller).await {
        Ok(ordered) => Json(ordered).into_response(),
        Err((status, refusal)) => (status, Json(refusal)).into_response(),
    }
}

async fn read(body: Body) -> Result<Order, (StatusCode, Refusal)> {
    let Ok(octets) = to_bytes(body, LONGEST).await else {
        let refusal = Refusal::because(format!("an order has at most {LONGEST} octets"));
        return Err((StatusCode::PAYLOAD_TOO_LARGE, refusal));
    };
    understand(&octets).map_err(|refusal| (StatusCode::BAD_REQUEST, refusal))
}

fn understand(octets: &Bytes) -> Result<Order, Refusal> {
    serde_json::from_slice(octets).map_err(|error| Refusal::because(format!("this is no order: {error}")))
}

async fn hand_over(
    clerk: &mpsc::Sender<Request>,
    order: Order,
    caller: Caller,
) -> Result<Ordered, (StatusCode, Refusal)> {
    let (answer, answered) = oneshot::channel();
    let stopping = || (StatusCode::SERVICE_UNAVAILABLE, Refusal::because("the daemon is stopping"));
    clerk.try_send(Request { order, caller, answer }).map_err(|error| match error {
        TrySendError::Full(_) => {
            let refusal = Refusal::because("too many orders at once; nothing was done").hint("try again");
            (StatusCode::SERVICE_UNAVAILABLE, refusal)
        }
        TrySendError::Closed(_) => stopping(),
    })?;
    match answered.await {
        Ok(Ok(ordered)) => Ok(ordered),
        Ok(Err(Refused::Faulty(refusal))) => Err((StatusCode::BAD_REQUEST, refusal)),
        Ok(Err(Refused::No(refusal))) => Err((StatusCode::CONFLICT, refusal)),
        Err(_) => Err(stopping()),
    }
}
