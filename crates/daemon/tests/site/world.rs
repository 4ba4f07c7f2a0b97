//! A world of two hosts in network namespaces of their own: the site with its service, and a neighbour that runs BIRD.

use linux::link::{End, LinkIndex};
use linux::process::{Namespaces, ProcessSignal, die_with_parent, send_signal, start_in};
use linux::{Namespace, address, link};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use std::fs;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a condition may take: the machine may be busy, and nothing here is timed.
const PATIENCE: Duration = Duration::from_secs(60);

const BIRD: &str = r#"
log "DIR/bird.log" all;
router id 10.1.0.1;
protocol device {}
protocol bgp site {
  local 10.1.0.1 as 64500;
  neighbor 10.1.0.10 as 64501;
  hold time 9;
  connect delay time 1;
  error wait time 1, 2;
  ipv4 { import all; export none; };
  ipv6 { import all; export none; };
}
"#;

const SITE: &str = r#"
[site]
name = "london"
city = "London"
asn = 64501
router_id = "10.1.0.10"
linger = "3s"
drain = "2s"
state_dir = "state"

[[peer]]
name = "transit-a"
address = "10.1.0.1"
asn = 64500
families = ["ipv4", "ipv6"]
next_hop6 = "2001:db8:1::10"

[[service]]
name = "dns"
addresses = ["198.18.0.53", "2001:db8:53::53"]
announce = ["198.18.0.0/24", "2001:db8:53::/48"]
[[service.check]]
dns = { name = "example.", type = "SOA" }
interval = "100ms"
timeout = "80ms"
hang_after = "20s"    # a busy machine is no outage

[api]
socket = "api.sock"
listen = "127.0.0.1:9053"
"#;

const NSD: &str = r#"
server:
  ip-address: 198.18.0.53
  ip-address: 2001:db8:53::53
  ip-freebind: yes
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "DIR"
  pidfile: "DIR/nsd.pid"
  xfrdfile: "DIR/xfrd.state"
  zonelistfile: "DIR/zone.list"
  xfrdir: "DIR"
remote-control:
  control-enable: no
zone:
  name: "example."
  zonefile: "example.zone"
"#;

/// A collector of BMP that writes a line for each message.
const PMBMPD: &str = "\
bmp_daemon_ip: 10.1.0.1
bmp_daemon_port: 1790
bmp_daemon_msglog_file: DIR/pmbmpd.json
bmp_daemon_msglog_output: json
logfile: DIR/pmbmpd.log
";

const ZONE: &str = "example. 60 IN SOA ns.example. admin.example. 1 60 60 60 60\nexample. 60 IN NS ns.example.\n\
                    ns.example. 60 IN A 198.18.0.53\n";

/// The two hosts, joined by a cable.
pub(crate) struct World {
    pub(crate) site: Namespace,
    pub(crate) neighbour: Namespace,
    directory: tempfile::TempDir,
}

/// A program of the world; killed with everything that it started when it is dropped.
pub(crate) struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Program {
    /// SIGKILL to the program and all that it started.
    pub(crate) fn kill(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }

    /// Asks the program itself to end.
    pub(crate) fn signal(&self, signal: ProcessSignal) {
        send_signal(self.0.id(), signal).unwrap();
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Second handles on the sockets that the program has open.
    pub(crate) fn sockets(&self) -> Vec<OwnedFd> {
        let process = Pid::from_raw(self.0.id().try_into().unwrap()).unwrap();
        let process = pidfd_open(process, PidfdFlags::empty()).unwrap();
        let names = fs::read_dir(format!("/proc/{}/fd", self.0.id())).unwrap().map(|entry| entry.unwrap());
        let is_socket = |entry: &fs::DirEntry| {
            fs::read_link(entry.path()).is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
        };
        let numbers =
            names.filter(is_socket).map(|entry| entry.file_name().to_str().unwrap().parse().unwrap());
        numbers.map(|number| pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).unwrap()).collect()
    }

    /// How many descriptors the program has open.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.0.id())).unwrap().count()
    }

    /// Waits until the program has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        until("the program ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

/// A text with pieces replaced by others, each where it stands first.
fn replaced(text: String, pieces: &[(&str, &str)]) -> String {
    let replace = |text: String, (piece, other): &(&str, &str)| {
        assert!(text.contains(piece), "{piece} is not in\n{text}");
        text.replacen(piece, other, 1)
    };
    pieces.iter().fold(text, replace)
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "after {PATIENCE:?} still not so: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl World {
    /// Two hosts with a cable between them and nothing on them.
    pub(crate) fn new() -> Self {
        let (site, neighbour) = (Namespace::new().unwrap(), Namespace::new().unwrap());
        let ends = [("site", &site), ("neighbour", &neighbour)];
        let [here, there] = ends.map(|(name, namespace)| End { namespace, name });
        link::create_veth(&mut site.netlink().unwrap(), here, there).unwrap();
        let addresses = [["10.1.0.10/24", "2001:db8:1::10/64"], ["10.1.0.1/24", "2001:db8:1::1/64"]];
        for ((name, namespace), addresses) in ends.into_iter().zip(addresses) {
            let mut netlink = namespace.netlink().unwrap();
            link::set_up(&mut netlink, LinkIndex::LOOPBACK).unwrap();
            let cable = link::index(&mut netlink, name).unwrap();
            link::set_up(&mut netlink, cable).unwrap();
            for text in addresses {
                address::add(&mut netlink, cable, text.parse().unwrap()).unwrap();
            }
        }
        World { site, neighbour, directory: tempfile::tempdir().unwrap() }
    }

    /// A path in the world's own directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text.replace("DIR", self.directory.path().to_str().unwrap())).unwrap();
        path
    }

    fn start(&self, namespace: &Namespace, program: impl AsRef<Path>, arguments: &[&Path]) -> Program {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).stdin(Stdio::null()).process_group(0);
        let inside = namespace.as_fd().try_clone_to_owned().unwrap();
        start_in(&mut command, Namespaces::new([inside]));
        die_with_parent(&mut command);
        Program(command.spawn().unwrap())
    }

    /// Starts BIRD at the neighbour.
    pub(crate) fn bird(&self) -> Program {
        self.bird_with(&[])
    }

    /// Writes BIRD's configuration with pieces replaced by others.
    pub(crate) fn configure_bird(&self, pieces: &[(&str, &str)]) -> PathBuf {
        self.write("bird.conf", &replaced(BIRD.to_owned(), pieces))
    }

    /// Starts BIRD at the neighbour, with pieces of its configuration replaced by others.
    pub(crate) fn bird_with(&self, pieces: &[(&str, &str)]) -> Program {
        let configuration = self.configure_bird(pieces);
        let control = self.path("bird.ctl");
        let arguments = [Path::new("-f"), Path::new("-c"), &configuration, Path::new("-s"), &control];
        let bird = self.start(&self.neighbour, "/usr/sbin/bird", &arguments);
        until("BIRD answers", || self.birdc("show status").contains("Daemon is up"));
        bird
    }

    /// Asks BIRD.
    pub(crate) fn birdc(&self, question: &str) -> String {
        let mut command = Command::new("/usr/sbin/birdc");
        command.arg("-s").arg(self.path("bird.ctl")).args(question.split(' '));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    /// Whether BIRD has both prefixes of the site.
    pub(crate) fn is_announced(&self) -> bool {
        let routes = self.birdc("show route");
        routes.contains("198.18.0.0/24") && routes.contains("2001:db8:53::/48")
    }

    /// Whether BIRD has no route at all.
    pub(crate) fn is_withdrawn(&self) -> bool {
        let routes = self.birdc("show route");
        routes.contains("BIRD") && !routes.contains("198.18.") && !routes.contains("2001:db8:53:")
    }

    /// How many import updates BIRD has received in the present session, over both families.
    pub(crate) fn updates(&self) -> u32 {
        self.received("Import updates:")
    }

    /// How many prefixes were withdrawn from BIRD in the present session, over both families.
    pub(crate) fn withdraws(&self) -> u32 {
        self.received("Import withdraws:")
    }

    fn received(&self, what: &str) -> u32 {
        let protocol = self.birdc("show protocols all site");
        let rows = protocol.lines().filter_map(|line| line.trim().strip_prefix(what));
        rows.map(|row| row.split_whitespace().next().unwrap().parse::<u32>().unwrap()).sum()
    }

    /// What BIRD has written to its log.
    pub(crate) fn bird_log(&self) -> String {
        fs::read_to_string(self.path("bird.log")).unwrap_or_default()
    }

    /// Starts NSD at the site.
    pub(crate) fn nsd(&self) -> Program {
        self.write("example.zone", ZONE);
        let configuration = self.write("nsd.conf", NSD);
        self.start(&self.site, "/usr/sbin/nsd", &[Path::new("-d"), Path::new("-c"), &configuration])
    }

    /// Starts a collector of BMP at the neighbour.
    pub(crate) fn pmbmpd(&self) -> Program {
        let configuration = self.write("pmbmpd.conf", PMBMPD);
        self.start(&self.neighbour, "/usr/sbin/pmbmpd", &[Path::new("-f"), &configuration])
    }

    /// Writes the site file with one piece replaced by another, and starts the daemon.
    pub(crate) fn daemon_with(&self, piece: &str, other: &str) -> Program {
        self.daemon_with_pieces(&[(piece, other)])
    }

    /// Writes the site file with pieces replaced by others, and starts the daemon.
    pub(crate) fn daemon_with_pieces(&self, pieces: &[(&str, &str)]) -> Program {
        let site_file = self.write("site.toml", SITE);
        self.rewrite(pieces);
        self.start(&self.site, env!("CARGO_BIN_EXE_site"), &[Path::new("run"), &site_file])
    }

    /// Writes the site file with pieces replaced by others, and starts the daemon from a program at another place.
    pub(crate) fn daemon_from(&self, program: &Path, pieces: &[(&str, &str)]) -> Program {
        let site_file = self.write("site.toml", SITE);
        self.rewrite(pieces);
        self.start(&self.site, program, &[Path::new("run"), &site_file])
    }

    /// What the site file says.
    pub(crate) fn site_file(&self) -> String {
        fs::read_to_string(self.path("site.toml")).unwrap()
    }

    /// Puts another text in the place of the site file.
    pub(crate) fn replace(&self, text: &str) {
        self.write("site.toml", text);
    }

    /// Replaces pieces of the site file, each where it stands first.
    pub(crate) fn rewrite(&self, pieces: &[(&str, &str)]) {
        self.replace(&replaced(self.site_file(), pieces));
    }

    /// Gives rules to the packet filter of one of the hosts.
    pub(crate) fn nft(&self, namespace: &Namespace, rules: &str) {
        let mut command = Command::new("/usr/sbin/nft");
        command.arg(rules);
        let inside = namespace.as_fd().try_clone_to_owned().unwrap();
        start_in(&mut command, Namespaces::new([inside]));
        assert!(command.status().unwrap().success(), "{rules}");
    }

    /// Starts the daemon.
    pub(crate) fn daemon(&self) -> Program {
        self.daemon_with("london", "london")
    }

    /// A neighbour at another address that accepts every call and sends octets without end that are no BGP,
    /// on port 1179.
    pub(crate) fn shouting_peer(&self, address: &str) -> std::thread::JoinHandle<()> {
        let mut netlink = self.neighbour.netlink().unwrap();
        let cable = link::index(&mut netlink, "neighbour").unwrap();
        address::add(&mut netlink, cable, format!("{address}/24").parse().unwrap()).unwrap();
        let listener = self.neighbour.run(|| std::net::TcpListener::bind((address, 1179))).unwrap().unwrap();
        std::thread::spawn(move || {
            for call in listener.incoming() {
                let mut call = call.unwrap();
                while call.write_all(&[0xfe; 65536]).is_ok() {}
            }
        })
    }

    /// Whether the service answers on an address.
    pub(crate) fn is_answered(&self, address: &str) -> bool {
        let mut command = Command::new("dig");
        command.args([&format!("@{address}"), "example.", "SOA", "+short", "+time=1", "+tries=1"]);
        let inside = self.site.as_fd().try_clone_to_owned().unwrap();
        start_in(&mut command, Namespaces::new([inside]));
        String::from_utf8(command.output().unwrap().stdout).unwrap().starts_with("ns.example.")
    }

    /// One GET on the control socket: the status line and the body, as they come.
    pub(crate) fn get(&self, path: &str) -> (String, String) {
        self.exchange(&format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"))
    }

    /// One POST on the control socket: the status line and the document.
    pub(crate) fn post(&self, path: &str, order: &serde_json::Value) -> (String, serde_json::Value) {
        let (order, head) = (order.to_string(), "Host: localhost\r\nContent-Type: application/json");
        let length = order.len();
        let request = format!("POST {path} HTTP/1.0\r\n{head}\r\nContent-Length: {length}\r\n\r\n{order}");
        let (status, body) = self.exchange(&request);
        (status, serde_json::from_str(&body).unwrap())
    }

    /// Any octets on the control socket: the status line and the body of what comes back.
    pub(crate) fn exchange(&self, request: &str) -> (String, String) {
        let mut stream = UnixStream::connect(self.path("api.sock")).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }

    /// A document of the control socket; none where nobody answers at the moment.
    pub(crate) fn document_if_any(&self, path: &str) -> Option<serde_json::Value> {
        let mut stream = UnixStream::connect(self.path("api.sock")).ok()?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// A document of the control socket.
    pub(crate) fn document(&self, path: &str) -> serde_json::Value {
        let (status, body) = self.get(path);
        assert!(status.ends_with("200 OK"), "{path}: {status} {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// How many events of that kind there were.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.kinds().iter().filter(|one| *one == kind).count()
    }

    /// The kinds of the events so far.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let events = self.document("/events");
        let rows = events["events"].as_array().unwrap();
        rows.iter().map(|row| row["kind"].as_str().unwrap().to_owned()).collect()
    }
}
