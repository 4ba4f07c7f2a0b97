//! Where operators' orders about blackholes are taken: on the control socket only, never where others can reach it.

use super::request::{Refused, Request};
use crate::caller::Caller;
use api::{BlackholeOrder, Refusal, route};
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Longest order, octets.
const LONGEST: usize = 8 * 1024;

/// The route that takes orders. It must be served to [`Callers`](crate::caller::Callers).
pub(crate) fn desk(trigger: mpsc::Sender<Request>) -> Router {
    let router = Router::new().route(route::BLACKHOLES, post(take));
    router.layer(DefaultBodyLimit::max(LONGEST)).with_state(trigger)
}

async fn take(
    State(trigger): State<mpsc::Sender<Request>>,
    Extension(caller): Extension<Arc<Caller>>,
    order: Result<Json<BlackholeOrder>, JsonRejection>,
) -> Response {
    let order = match order {
        Ok(Json(order)) => order,
        Err(rejection) => {
            let refusal = Refusal::because(format!("this is no order: {}", rejection.body_text()));
            return no(StatusCode::BAD_REQUEST, refusal);
        }
    };
    let (answer, answered) = oneshot::channel();
    if trigger.try_send(Request { order, caller: *caller, answer }).is_err() {
        let refusal = Refusal::because("too many orders at once; nothing was done").hint("try again");
        return no(StatusCode::SERVICE_UNAVAILABLE, refusal);
    }
    match answered.await {
        Ok(Ok(done)) => Json(done).into_response(),
        Ok(Err(Refused::Faulty(refusal))) => no(StatusCode::BAD_REQUEST, refusal),
        Ok(Err(Refused::No(refusal))) => no(StatusCode::CONFLICT, refusal),
        Err(_) => no(StatusCode::SERVICE_UNAVAILABLE, Refusal::because("the daemon is stopping")),
    }
}

fn no(status: StatusCode, refusal: Refusal) -> Response {
    (status, Json(refusal)).into_response()
}
