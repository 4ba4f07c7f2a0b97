//! Where orders to reload and to restart come in. On the control socket only: whoever may open it is the daemon's own user.

use api::{Refusal, ReloadAnswer, ReloadOrder, RestartAnswer, route};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

/// One order and where its answer goes.
#[derive(Debug)]
pub(super) enum Request {
    Reload(ReloadOrder, oneshot::Sender<ReloadAnswer>),
    Confirm(oneshot::Sender<ReloadAnswer>),
    Restart(oneshot::Sender<RestartAnswer>),
}

/// The way to the office.
#[derive(Clone, Debug)]
pub(crate) struct Desk(mpsc::Sender<Request>);

impl Desk {
    /// A desk and the end at which the office takes requests.
    pub(super) fn new() -> (Desk, mpsc::Receiver<Request>) {
        let (requests, taken) = mpsc::channel(1);
        (Desk(requests), taken)
    }

    async fn ask<A: Serialize>(&self, request: impl FnOnce(oneshot::Sender<A>) -> Request) -> Response {
        let (answer, answered) = oneshot::channel();
        // A second order waits here until the first is done.
        if self.0.send(request(answer)).await.is_ok()
            && let Ok(answer) = answered.await
        {
            return Json(answer).into_response();
        }
        let refusal = Refusal::because("the daemon stops and takes no order any more");
        (StatusCode::SERVICE_UNAVAILABLE, Json(refusal)).into_response()
    }
}

/// The routes of the control socket that reload and restart.
pub(crate) fn routes(desk: Desk) -> Router {
    Router::new()
        .route(route::RELOAD, post(reload))
        .route(route::RELOAD_CONFIRM, post(async |State(desk): State<Desk>| desk.ask(Request::Confirm).await))
        .route(route::RESTART, post(async |State(desk): State<Desk>| desk.ask(Request::Restart).await))
        .with_state(desk)
}

async fn reload(State(desk): State<Desk>, order: Result<Json<ReloadOrder>, JsonRejection>) -> Response {
    match order {
        Ok(Json(order)) => desk.ask(|answer| Request::Reload(order, answer)).await,
        Err(error) => {
            let refusal = Refusal::because(error.body_text()).hint("an order is a JSON object, {} at least");
            (StatusCode::BAD_REQUEST, Json(refusal)).into_response()
        }
    }
}
