//! NSD and Knot as primaries and secondaries of a zone, in the namespace of the service.

use super::SERVICE;
use linux::Namespace;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where the other server is.
pub(super) const ADDRESS: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 2), 5301));
/// What both ends know, in base 64.
pub(super) const SECRET: &str = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";

/// A running server, which ends with this value.
pub(super) struct Peer {
    child: Child,
    zone: PathBuf,
}

/// Whether a server can say what has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changes {
    Kept,
    Forgotten,
}

impl Peer {
    pub(super) fn start(namespace: &Namespace, folder: &Path, program: &str, configuration: &str) -> Peer {
        let file = folder.join("configuration");
        std::fs::write(&file, configuration).unwrap();
        let mut command = Command::new(program);
        match program {
            "nsd" => _ = command.arg("-d"),
            "named" => _ = command.args(["-g", "-n", "1"]),
            _ => {}
        }
        command.arg("-c").arg(&file).stdout(Stdio::inherit()).stderr(Stdio::inherit());
        let child = namespace.run(|| command.spawn()).unwrap();
        let child = child.unwrap_or_else(|error| panic!("{program}: {error}; `make install-test`"));
        Peer { child, zone: folder.join("example.zone") }
    }

    fn knot(namespace: &Namespace, folder: &Path, zone: &str) -> Peer {
        let here = folder.display();
        let configuration = format!(
            "server:\n  listen: {ip}@{port}\n  rundir: \"{here}\"\n  udp-workers: 1\n  tcp-workers: 1\n  \
             background-workers: 1\n\
             log:\n  - target: stderr\n    any: warning\n\
             database:\n  storage: \"{here}\"\n\
             key:\n  - id: transfer.\n    algorithm: hmac-sha256\n    secret: {SECRET}\n\
             remote:\n  - id: us\n    address: {SERVICE}@53\n    key: transfer.\n\
             acl:\n  - id: all\n    key: transfer.\n    action: [notify, transfer]\n\
             zone:\n  - domain: example.\n    storage: \"{here}\"\n    file: example.zone\n    acl: all\n{zone}",
            ip = ADDRESS.ip(),
            port = ADDRESS.port(),
        );
        Peer::start(namespace, folder, "knotd", &configuration)
    }

    pub(super) fn knot_secondary(namespace: &Namespace, folder: &Path) -> Peer {
        Peer::knot(namespace, folder, "    master: us\n")
    }

    pub(super) fn knot_primary(namespace: &Namespace, folder: &Path, text: &str, changes: Changes) -> Peer {
        std::fs::write(folder.join("example.zone"), text).unwrap();
        let journal = match changes {
            Changes::Kept => "    zonefile-load: difference\n    journal-content: changes\n",
            Changes::Forgotten => "    zonefile-load: whole\n    journal-content: none\n",
        };
        Peer::knot(namespace, folder, &format!("    notify: us\n    zonefile-sync: -1\n{journal}"))
    }

    fn nsd(namespace: &Namespace, folder: &Path, zone: &str) -> Peer {
        let here = folder.display();
        let configuration = format!(
            "server:\n ip-address: {ip}@{port}\n port: {port}\n server-count: 1\n username: \"\"\n chroot: \"\"\n \
             zonesdir: \"{here}\"\n pidfile: \"{here}/nsd.pid\"\n database: \"\"\n \
             xfrdfile: \"{here}/xfrd.state\"\n zonelistfile: \"{here}/zone.list\"\n xfrdir: \"{here}\"\n \
             cookie-secret-file: \"\"\n xfrd-reload-timeout: 0\n\
             remote-control:\n control-enable: no\n\
             key:\n name: \"transfer.\"\n algorithm: hmac-sha256\n secret: \"{SECRET}\"\n\
             zone:\n name: \"example.\"\n zonefile: example.zone\n{zone}",
            ip = ADDRESS.ip(),
            port = ADDRESS.port(),
        );
        Peer::start(namespace, folder, "nsd", &configuration)
    }

    pub(super) fn nsd_secondary(namespace: &Namespace, folder: &Path) -> Peer {
        let zone = format!(" request-xfr: {SERVICE}@53 transfer.\n allow-notify: 127.0.0.0/8 transfer.\n");
        Peer::nsd(namespace, folder, &zone)
    }

    /// One that keeps changes, and tells us of them, or nobody.
    pub(super) fn nsd_primary(namespace: &Namespace, folder: &Path, text: &str, tells: bool) -> Peer {
        std::fs::write(folder.join("example.zone"), text).unwrap();
        let notify = if tells { format!(" notify: {SERVICE}@53 transfer.\n") } else { String::new() };
        let zone =
            format!("{notify} provide-xfr: 127.0.0.0/8 transfer.\n store-ixfr: yes\n create-ixfr: yes\n");
        Peer::nsd(namespace, folder, &zone)
    }

    /// Has a primary serve another version.
    pub(super) fn change(&self, text: &str) {
        std::fs::write(&self.zone, text).unwrap();
        self.reload();
    }

    /// Has it read its configuration and its zones again.
    pub(super) fn reload(&self) {
        let sent = Command::new("kill").arg("-HUP").arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // SIGTERM, so that it ends its own children too.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Somebody between us and a server, who lets so many octets of each connection through and then cuts it.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    most: Arc<AtomicUsize>,
}

impl Proxy {
    pub(super) fn start(namespace: &Namespace, to: SocketAddr, most: usize) -> Proxy {
        let most = Arc::new(AtomicUsize::new(most));
        let limit = Arc::clone(&most);
        let address = namespace.run(move || {
            let listener = TcpListener::bind("127.0.0.3:5302").unwrap();
            let address = listener.local_addr().unwrap();
            // Its threads end with the test.
            std::thread::spawn(move || {
                for client in listener.incoming().flatten() {
                    let Ok(server) = TcpStream::connect(to) else { continue };
                    let (mut from, mut into) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                    std::thread::spawn(move || std::io::copy(&mut from, &mut into));
                    let most = limit.load(Ordering::Relaxed);
                    std::thread::spawn(move || pass(server, client, most));
                }
            });
            address
        });
        Proxy { address: address.unwrap(), most }
    }

    /// From now on so many octets of a connection go through.
    pub(super) fn cut_after(&self, octets: usize) {
        self.most.store(octets, Ordering::Relaxed);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut most: usize) {
    let mut octets = [0; 1024];
    while most > 0 {
        let room = octets.len().min(most);
        match from.read(&mut octets[..room]) {
            Ok(length @ 1..) if to.write_all(&octets[..length]).is_ok() => most -= length,
            _ => break,
        }
    }
    let _ = (from.shutdown(std::net::Shutdown::Both), to.shutdown(std::net::Shutdown::Both));
}

/// A zone with signatures.
pub(super) fn sign(folder: &Path, apex: &str, text: &str, options: &[&str]) -> String {
    std::fs::write(folder.join("plain"), text).unwrap();
    for key in [&["-f", "KSK"][..], &[]] {
        let keygen = Command::new("dnssec-keygen")
            .args(["-q", "-a", "ECDSAP256SHA256", "-K"])
            .arg(folder)
            .args(key)
            .arg(apex)
            .stdout(Stdio::null())
            .status();
        assert!(keygen.expect("dnssec-keygen is needed here: `make install-test`").success());
    }
    let signing = Command::new("dnssec-signzone")
        .current_dir(folder)
        .args(["-q", "-S", "-P", "-o", apex, "-f", "signed"])
        .args(options)
        .arg("plain")
        .output()
        .unwrap();
    assert!(signing.status.success(), "{}", String::from_utf8_lossy(&signing.stderr));
    std::fs::read_to_string(folder.join("signed")).unwrap()
}
