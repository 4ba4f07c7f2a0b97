//! What a running lab answers on its control socket, and the namespaces that it hands out.

use crate::journal::Place;
use crate::running::Lab;
use api::{Command, Done, EventList, NodeList, Picture, Refusal, Schema, route};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use linux::process::Namespaces;
use linux::{Error, pass};
use std::io::{BufRead, BufReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use terms::nearest_spelling;
use tokio::sync::{Notify, watch};

/// Stops the lab, by POST.
pub(crate) const DOWN: &str = "/down";
/// Longest name of a node that is read, bytes.
const LONGEST_NAME: u64 = 256;
/// How long somebody who asks for a node may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the answers are made from.
#[derive(Clone)]
pub(crate) struct Control {
    pub(crate) lab: Arc<Lab>,
    /// Told when somebody wants the lab to stop.
    pub(crate) stop: Arc<Notify>,
    /// The picture as it is now.
    pub(crate) picture: watch::Receiver<Arc<Picture>>,
}

/// The routes of the control socket.
pub(crate) fn routes(control: Control) -> Router {
    Router::new()
        .route(route::NODES, get(nodes))
        .route(route::EVENTS, get(events))
        .route(route::PICTURE, get(picture))
        .route(route::COMMAND, post(command))
        .route(DOWN, post(down))
        .with_state(control)
}

/// Those of them that the page shows to everybody.
pub(crate) fn read_only(control: Control) -> Router {
    Router::new().route(route::NODES, get(nodes)).route(route::EVENTS, get(events)).with_state(control)
}

async fn nodes(State(control): State<Control>) -> Json<NodeList> {
    Json(control.lab.nodes())
}

async fn events(State(control): State<Control>) -> Json<EventList> {
    let events = control.lab.story.rows().read(Place::default()).entries;
    Json(EventList { schema: Schema, events })
}

async fn picture(State(control): State<Control>) -> Json<Picture> {
    Json(Picture::clone(&control.picture.borrow()))
}

async fn command(
    State(control): State<Control>,
    Json(command): Json<Command>,
) -> Result<Json<Done>, (StatusCode, Json<Refusal>)> {
    let lab = control.lab;
    let refused = |refusal| (StatusCode::UNPROCESSABLE_ENTITY, Json(refusal));
    let done = tokio::task::spawn_blocking(move || lab.order(&command)).await;
    match done {
        Ok(result) => result.map(Json).map_err(refused),
        Err(_) => Err(refused(Refusal::because("the lab is stopping"))),
    }
}

async fn down(State(control): State<Control>) -> Json<Done> {
    control.stop.notify_one();
    Json(Done { schema: Schema, said: "the lab stops".to_owned() })
}

/// Hands the namespaces of nodes to whoever may connect, until the process ends.
pub(crate) fn hand_out_namespaces(lab: Arc<Lab>, listener: UnixListener) -> linux::Result<()> {
    let of_lab = Namespaces::of_this_process()?;
    let thread = thread::Builder::new().name("exec".into());
    let serve = move || {
        for stream in listener.incoming().flatten() {
            // Who hangs up early gets nothing.
            let _ = hand_out(&lab, &of_lab, &stream);
        }
    };
    thread.spawn(serve).map_err(|error| Error::new("start the thread for lab exec", error))?;
    Ok(())
}

/// Reads the name of a node; answers with its user, network, PID and mount namespaces, or with a [`Refusal`].
fn hand_out(lab: &Lab, [user, pid, mount]: &[OwnedFd; 3], stream: &UnixStream) -> linux::Result<()> {
    let read = || {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut name = String::new();
        BufReader::new(stream.take(LONGEST_NAME)).read_line(&mut name)?;
        Ok(name)
    };
    let name = read().map_err(|error: std::io::Error| Error::new("read the name of a node", error))?;
    let name = name.trim_end();
    let Some(node) = lab.plan.node_called(name) else {
        let refusal = serde_json::to_vec(&no_such_node(lab, name))
            .map_err(|error| Error::new("refuse a node", std::io::Error::from(error)))?;
        return pass::send(stream, &refusal, &[]);
    };
    pass::send(stream, b"{}", &[user.as_fd(), lab.namespace(node).as_fd(), pid.as_fd(), mount.as_fd()])
}

fn no_such_node(lab: &Lab, name: &str) -> Refusal {
    let refusal = Refusal::because(format!("no node is called `{name}`"));
    let names = lab.plan.nodes.iter().map(|node| node.name.as_str());
    match nearest_spelling(name, names) {
        Some(guess) => refusal.hint(format!("did you mean {guess}?")),
        None => refusal.hint("`catchment lab nodes` lists them"),
    }
}
