//! Other people's name servers, running on the loopback interface with the zones of a folder.

#![allow(clippy::disallowed_types, reason = "another server is asked over the network")]

use dns::Transport;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// A zone in a file of the folder.
pub(crate) struct ZoneFile {
    pub(crate) apex: String,
    pub(crate) file: String,
}

/// A running server, which ends with this value.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    child: Child,
    address: SocketAddr,
}

impl Peer {
    /// `cookies`: the secret of its cookies, in hexadecimal digits.
    pub(crate) fn nsd(folder: &Path, zones: &[ZoneFile], cookies: Option<&str>) -> Peer {
        let cookies = cookies.map(|secret| format!(" answer-cookie: yes\n cookie-secret: {secret}\n"));
        let (here, address) = (folder.display(), own_address());
        let mut configuration = format!(
            "server:\n ip-address: {ip}@{port}\n port: {port}\n server-count: 1\n username: \"\"\n \
             chroot: \"\"\n zonesdir: \"{here}\"\n pidfile: \"{here}/nsd.pid\"\n database: \"\"\n \
             xfrdfile: \"{here}/xfrd.state\"\n zonelistfile: \"{here}/zone.list\"\n xfrdir: \"{here}\"\n \
             cookie-secret-file: \"\"\n minimal-responses: yes\n confine-to-zone: yes\n reuseport: no\n \
             rrl-ratelimit: 0\n ipv4-edns-size: 1232\n\
             {cookies}\
             remote-control:\n control-enable: no\n",
            cookies = cookies.unwrap_or_default(),
            ip = address.ip(),
            port = address.port()
        );
        for zone in zones {
            let _ = write!(configuration, "zone:\n name: \"{}\"\n zonefile: {}\n", zone.apex, zone.file);
        }
        let file = folder.join("nsd.conf");
        std::fs::write(&file, configuration).unwrap();
        Peer::start("nsd", Command::new("nsd").args(["-d", "-c"]).arg(&file), address, zones)
    }

    /// `cookies`: the secret of its cookies, in hexadecimal digits. With them it answers who has no good one with
    /// BADCOOKIE.
    pub(crate) fn knot(folder: &Path, zones: &[ZoneFile], cookies: Option<&str>) -> Peer {
        let module = cookies.map(|secret| {
            format!("mod-cookies:\n  - id: ours\n    badcookie-slip: 1\n    secret: 0x{secret}\n")
        });
        let using = cookies.map_or("", |_| "    global-module: mod-cookies/ours\n");
        let (here, address) = (folder.display(), own_address());
        let mut configuration = format!(
            "server:\n  listen: {ip}@{port}\n  rundir: \"{here}\"\n  udp-workers: 1\n  tcp-workers: 1\n  \
             background-workers: 1\n  udp-max-payload: 1232\n\
             log:\n  - target: stderr\n    any: error\n\
             database:\n  storage: \"{here}\"\n\
             {module}\
             template:\n  - id: default\n    storage: \"{here}\"\n    zonefile-load: whole\n    \
             journal-content: none\n    semantic-checks: off\n{using}\
             zone:\n",
            module = module.unwrap_or_default(),
            ip = address.ip(),
            port = address.port()
        );
        for zone in zones {
            let _ = write!(configuration, "  - domain: \"{}\"\n    file: {}\n", zone.apex, zone.file);
        }
        let file = folder.join("knot.conf");
        std::fs::write(&file, configuration).unwrap();
        Peer::start("knotd", Command::new("knotd").arg("-c").arg(&file), address, zones)
    }

    fn start(name: &'static str, command: &mut Command, address: SocketAddr, zones: &[ZoneFile]) -> Peer {
        let child = command
            .stdout(Stdio::inherit())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}; `make install-test` installs it"));
        let peer = Peer { name, child, address };
        for zone in zones {
            peer.wait_for(zone);
        }
        peer
    }

    /// Until it answers for the zone.
    fn wait_for(&self, zone: &ZoneFile) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let query = crate::messages::ask(&zone.apex, "SOA").octets();
        while Instant::now() < deadline {
            if self.try_udp(&query, Duration::from_millis(100)).is_some_and(|reply| reply[3] & 0x0f == 0) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{} does not answer for {} ({})", self.name, zone.apex, zone.file);
    }

    /// Each time from another port: a reply that comes late must not be taken for one to the next question.
    fn try_udp(&self, query: &[u8], patience: Duration) -> Option<Vec<u8>> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.connect(self.address).unwrap();
        socket.set_read_timeout(Some(patience)).unwrap();
        socket.send(query).ok()?;
        let mut reply = vec![0; 65535];
        let length = socket.recv(&mut reply).ok()?;
        reply.truncate(length);
        Some(reply)
    }

    pub(crate) fn ask(&self, query: &[u8], transport: Transport) -> Vec<u8> {
        match transport {
            Transport::Udp => {
                // Asked again after silence: a busy machine may lose a datagram even on loopback.
                let mut tries = (0..5).filter_map(|_| self.try_udp(query, Duration::from_secs(2)));
                tries.next().unwrap_or_else(|| panic!("{} was silent five times: {query:02x?}", self.name))
            }
            Transport::Tcp => {
                let mut stream = TcpStream::connect(self.address).unwrap();
                stream.write_all(&(query.len() as u16).to_be_bytes()).unwrap();
                stream.write_all(query).unwrap();
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut reply).unwrap();
                reply
            }
            Transport::Tls => panic!("peers are not asked over TLS"),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // SIGTERM, so that it ends its own children too.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// An address that nobody else uses: a loopback address of this process, and a port for each of its servers.
fn own_address() -> SocketAddr {
    static PORT: AtomicU16 = AtomicU16::new(5300);
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    // Processes have at most 22 bits.
    (Ipv4Addr::new(127, high + 1, middle, low), PORT.fetch_add(1, Ordering::Relaxed)).into()
}

/// How a zone is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signing {
    None,
    Nsec,
    Nsec3,
    OptOut,
}

impl Signing {
    pub(crate) const ALL: [Signing; 4] = [Signing::None, Signing::Nsec, Signing::Nsec3, Signing::OptOut];

    /// Writes `text` into the folder as it will be served.
    pub(crate) fn write(self, folder: &Path, apex: &str, file: &str, text: &str) -> ZoneFile {
        std::fs::write(folder.join(file), text).unwrap();
        let options: &[&str] = match self {
            Signing::None => return ZoneFile { apex: apex.to_owned(), file: file.to_owned() },
            Signing::Nsec => &[],
            Signing::Nsec3 => &["-3", "aabb", "-H", "3"],
            Signing::OptOut => &["-3", "-", "-H", "0", "-A"],
        };
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
        let signed = format!("{file}.signed");
        let signing = Command::new("dnssec-signzone")
            .current_dir(folder)
            .args(["-q", "-S", "-P", "-o", apex, "-f", &signed])
            .args(options)
            .arg(file)
            .output()
            .unwrap();
        assert!(signing.status.success(), "{file}: {}", String::from_utf8_lossy(&signing.stderr));
        ZoneFile { apex: apex.to_owned(), file: signed }
    }
}
