//! The routes of the page.

use crate::assets::{ASSETS, document};
use crate::feed::{Feed, Order};
use crate::guard::{Token, forbidden, guard, may_change};
use crate::hub::Hub;
use crate::reader;
use api::{Command, Done, Refusal, route};
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

/// How many pages may be open at once.
const MAX_READERS: usize = 64;
/// Largest command, bytes.
const MAX_COMMAND: usize = 4096;
/// How long a command may take; a reboot is the slowest.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the handlers share.
struct Page {
    hub: Arc<Hub>,
    control: Option<Control>,
}

/// What the live stream needs.
#[derive(Clone)]
struct Stream {
    hub: Arc<Hub>,
    seats: Arc<Semaphore>,
}

/// What only a page with buttons has.
struct Control {
    token: Token,
    orders: mpsc::Sender<Order>,
}

/// Every route behind the guard.
pub(crate) fn routes(feed: Feed, hub: Arc<Hub>) -> Result<Router, getrandom::Error> {
    let control = match feed.commands {
        Some(orders) => Some(Control { token: Token::random()?, orders }),
        None => None,
    };
    let mut router = Router::new()
        .route("/", get(index))
        .route(route::HEALTH, get(async || "ok\n"))
        .route(route::PICTURE, get(picture));
    if control.is_some() {
        router = router.route(route::COMMAND, post(command));
    }
    for asset in ASSETS {
        router = router.route(asset.path, get(async || ([(header::CONTENT_TYPE, asset.kind)], asset.text)));
    }
    let page = Page { hub: Arc::clone(&hub), control };
    Ok(router
        .with_state(Arc::new(page))
        .merge(live(hub))
        .merge(feed.more)
        .layer(DefaultBodyLimit::max(MAX_COMMAND))
        .layer(middleware::from_fn(guard)))
}

/// The route of the live stream.
pub(crate) fn live(hub: Arc<Hub>) -> Router {
    let stream = Stream { hub, seats: Arc::new(Semaphore::new(MAX_READERS)) };
    Router::new().route(route::LIVE, get(follow)).with_state(stream)
}

async fn index(State(page): State<Arc<Page>>) -> Html<String> {
    Html(document(page.control.as_ref().map(|control| control.token.as_str())))
}

async fn picture(State(page): State<Arc<Page>>) -> Response {
    Json(&*page.hub.picture()).into_response()
}

async fn follow(State(stream): State<Stream>) -> Response {
    let Ok(seat) = stream.seats.try_acquire_owned() else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, Refusal::because("too many pages are open"));
    };
    let mut response = Response::new(reader::body(stream.hub, seat));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

async fn command(State(page): State<Arc<Page>>, headers: HeaderMap, body: Bytes) -> Response {
    // The route exists only where there is a control.
    let Some(control) = &page.control else { return StatusCode::NOT_FOUND.into_response() };
    if let Err(refusal) = may_change(&headers, &control.token) {
        return forbidden(refusal);
    }
    let command = match serde_json::from_slice(&body) {
        Ok(command) => command,
        Err(error) => {
            return refuse(StatusCode::BAD_REQUEST, Refusal::because(format!("no command: {error}")));
        }
    };
    match control.carry_out(command).await {
        Ok(done) => Json(done).into_response(),
        Err(refusal) => refuse(StatusCode::CONFLICT, refusal),
    }
}

impl Control {
    async fn carry_out(&self, command: Command) -> Result<Done, Refusal> {
        let (answer, answered) = oneshot::channel();
        let order = Order { command, answer };
        self.orders.try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refusal::because("too many commands at once"),
            mpsc::error::TrySendError::Closed(_) => Refusal::because("the lab is stopping"),
        })?;
        match timeout(PATIENCE, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Refusal::because("the lab is stopping")),
            Err(_) => Err(Refusal::because("the lab took too long").hint("watch the events")),
        }
    }
}

fn refuse(status: StatusCode, refusal: Refusal) -> Response<Body> {
    (status, Json(refusal)).into_response()
}
