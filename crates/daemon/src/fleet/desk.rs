//! Where operators' orders about other sites are taken: on the control socket only.

use super::{Fleet, Request};
use crate::caller::Caller;
use api::{FleetOrder, Refusal, route};
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Longest order, octets.
const LONGEST: usize = 4096;

/// The route that takes orders. It must be served to [`Callers`](crate::caller::Callers).
pub(crate) fn routes(fleet: Fleet) -> Router {
    Router::new().route(route::FLEET, post(take)).layer(DefaultBodyLimit::max(LONGEST)).with_state(fleet)
}

async fn take(
    State(fleet): State<Fleet>,
    Extension(caller): Extension<Arc<Caller>>,
    order: Result<Json<FleetOrder>, JsonRejection>,
) -> Response {
    let Ok(Json(order)) = order else {
        return no(StatusCode::BAD_REQUEST, Refusal::because("this is no order about a site of a fleet"));
    };
    let Some(orders) = fleet.orders() else {
        let refusal = Refusal::because("this site belongs to no fleet");
        return no(StatusCode::CONFLICT, refusal.hint("its site file has no [fleet]"));
    };
    let who = caller.person(order.who.clone()).await;
    let (answer, answered) = oneshot::channel();
    if orders.try_send(Request { order, who, answer }).is_err() {
        let refusal = Refusal::because("too many orders at once; nothing was done").hint("try again");
        return no(StatusCode::SERVICE_UNAVAILABLE, refusal);
    }
    match answered.await {
        Ok(Ok(done)) => Json(done).into_response(),
        Ok(Err(refusal)) => no(StatusCode::CONFLICT, refusal),
        Err(_) => no(StatusCode::SERVICE_UNAVAILABLE, Refusal::because("the daemon is stopping")),
    }
}

fn no(status: StatusCode, refusal: Refusal) -> Response {
    (status, Json(refusal)).into_response()
}
