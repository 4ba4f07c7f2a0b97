//! A real etcd of one member on loopback.

use fleet::etcd::{Settings, Tls};
use fleet::{Etcd, Store};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long it may take to start: the machine may be busy, and nothing here is timed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running etcd; killed when dropped.
pub(crate) struct Server {
    child: Child,
    endpoint: String,
    tls: Option<Tls>,
    _directory: TempDir,
}

impl Server {
    /// Starts one that anybody may ask.
    pub(crate) async fn start() -> Self {
        Server::start_with("http", &[], None).await
    }

    /// Starts one and waits until it answers who comes with `tls`. A port may be taken between looking and listening:
    /// then it tries others.
    pub(crate) async fn start_with(scheme: &str, arguments: &[String], tls: Option<Tls>) -> Self {
        let started = Instant::now();
        loop {
            let mut server = Server::spawn(scheme, arguments, tls.clone());
            let store = Etcd::new(server.settings());
            while server.child.try_wait().unwrap().is_none() {
                if store.read(&"ready".parse().unwrap()).await.is_ok() {
                    return server;
                }
                assert!(started.elapsed() < PATIENCE, "etcd does not start");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    fn spawn(scheme: &str, arguments: &[String], tls: Option<Tls>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ports = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let [client, peer] = ports.map(|port| port.local_addr().unwrap());
        let (client, peer) = (format!("{scheme}://{client}"), format!("http://{peer}"));
        let child = Command::new("etcd")
            .arg("--data-dir")
            .arg(directory.path())
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("default={peer}"), "--unsafe-no-fsync"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.expect("etcd, of the Debian package etcd-server");
        Server { child, endpoint: client, tls, _directory: directory }
    }

    /// How to reach it.
    pub(crate) fn settings(&self) -> Settings {
        let endpoints = vec![self.endpoint.clone()];
        Settings { endpoints, tls: self.tls.clone(), login: None, prefix: "catchment".to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
