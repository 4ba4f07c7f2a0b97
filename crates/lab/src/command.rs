//! Commands that work inside a running lab: `exec`, `nodes`, `down`.

use crate::control::DOWN;
use crate::host::DAEMON_SOCKET;
use crate::rootless;
use crate::running::directory_of;
use crate::runtime::{LabName, Sockets};
use api::client::{ClientError, Server, blocking};
use api::{Done, FaultKind, NodeList, Refusal, route};
use linux::process::{
    HeldSignals, Namespaces, ProcessSignal, die_with_parent, enter_pid_namespace_for_children, start_at,
    start_in,
};
use linux::{Error, pass, user_namespace};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{self, StrDeserializer};
use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// No lab of that name runs, or it did not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// There is no such fault.
    #[error("{0}")]
    NoSuchFault(String),
    /// The lab refused.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The system refused.
    #[error(transparent)]
    System(#[from] Error),
    /// The lab did not end in time.
    #[error("the lab was told to stop and still runs after {} s", .0.as_secs())]
    StillThere(Duration),
}

/// Where the commands that ask a daemon read its socket from.
pub(crate) const SOCKET_VARIABLE: &str = "CATCHMENT_SOCKET";
/// How long a lab may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

fn client_of(name: &LabName) -> Result<blocking::Client, CommandError> {
    client(Sockets::of(name).control)
}

/// Asks the lab whose control socket this is.
pub(crate) fn client(socket: PathBuf) -> Result<blocking::Client, CommandError> {
    let client = blocking::Client::of(Server::Lab, socket);
    Ok(client.map_err(|error| Error::new("ask the lab", error))?)
}

/// Who lives in the lab of that name.
pub fn nodes(name: &LabName) -> Result<NodeList, CommandError> {
    Ok(client_of(name)?.get(route::NODES)?)
}

/// Makes something go wrong in the lab of that name, or puts it right again.
pub fn fault(name: &LabName, kind: &str, target: &str) -> Result<Done, CommandError> {
    let words: StrDeserializer<'_, value::Error> = kind.into_deserializer();
    let kind = FaultKind::deserialize(words).map_err(|error| CommandError::NoSuchFault(error.to_string()))?;
    Ok(client_of(name)?.post(route::COMMAND, &api::Command { kind, target: target.to_owned() })?)
}

/// Stops the lab of that name and waits until it is gone.
pub fn down(name: &LabName) -> Result<Done, CommandError> {
    let done = client_of(name)?.post(DOWN, &())?;
    let sockets = Sockets::of(name);
    let begun = Instant::now();
    while sockets.control.exists() {
        if begun.elapsed() > PATIENCE {
            return Err(CommandError::StillThere(PATIENCE));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(done)
}

/// Runs a command inside a node, on this terminal, and waits until it ends. To be called before this process starts any
/// thread.
pub fn exec(name: &LabName, node: &str, command: &[OsString]) -> Result<ExitStatus, CommandError> {
    let [user, network, pid, mount] = namespaces(name, node)?;
    let Some((program, arguments)) = command.split_first() else {
        return Err(Refusal::because("there is no command to run").into());
    };
    // Ctrl-C is for the command; this process passes on how it ended.
    let _held = HeldSignals::hold(&[ProcessSignal::SIGINT, ProcessSignal::SIGQUIT])?;
    user_namespace::enter(&user)?;
    enter_pid_namespace_for_children(&pid)?;
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", rootless::search_path());
    // So that `catchment status` inside a site asks that site's daemon.
    command.env(SOCKET_VARIABLE, directory_of(node).join(DAEMON_SOCKET));
    die_with_parent(&mut command);
    start_in(&mut command, Namespaces::new([network, mount]));
    if let Ok(directory) = env::current_dir() {
        start_at(&mut command, &directory)?;
    }
    let status = command.status().map_err(|error| Error::new(format!("run {}", program.display()), error));
    Ok(status?)
}

/// The user, network, PID and mount namespaces of a node.
fn namespaces(name: &LabName, node: &str) -> Result<[OwnedFd; 4], CommandError> {
    let socket = Sockets::of(name).exec;
    let mut stream = UnixStream::connect(&socket).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            ClientError::NobodyThere { server: Server::Lab, socket: socket.clone() }
        }
        io::ErrorKind::PermissionDenied => {
            ClientError::NotAllowed { server: Server::Lab, socket: socket.clone() }
        }
        _ => ClientError::Unreachable { socket: socket.clone(), error },
    })?;
    stream.write_all(format!("{node}\n").as_bytes()).map_err(|error| Error::new("ask for a node", error))?;
    let mut answer = [0; 4096];
    let (length, descriptors) = pass::receive(&stream, &mut answer)?;
    <[OwnedFd; 4]>::try_from(descriptors).map_err(|_| {
        match serde_json::from_slice::<Refusal>(&answer[..length]) {
            Ok(refusal) => refusal.into(),
            Err(_) => Error::new("ask for a node", io::Error::from(io::ErrorKind::UnexpectedEof)).into(),
        }
    })
}
