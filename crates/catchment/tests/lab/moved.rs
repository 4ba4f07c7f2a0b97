//! Real clients and real services, unchanged, while routing moves the clients to another site: curl with nginx, ssh with
//! sshd, iperf3, each over IPv4 and over IPv6.

use crate::program::Program;
use crate::stage::{Caller, Lab, PROGRAM, wait_until};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// The anycast addresses, as a URL has them.
const SERVICE: [&str; 2] = ["198.18.0.53", "[2001:db8:53::53]"];
const HTTP: u16 = 8080;
const SSH: u16 = 2222;
const IPERF: [u16; 2] = [5201, 5202];
/// Much more than all the buffers on the way hold.
const DOWNLOAD: usize = 48 << 20;
const UPLOAD: usize = 8 << 20;

/// Octets that repeat themselves at no length that a packet or a buffer has.
fn octets(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place % 251) as u8 ^ (place >> 16) as u8).collect()
}

/// A small world whose sites take in each other's connections.
pub(crate) fn world() -> String {
    let world = include_str!("../../../../worlds/tiny.toml");
    format!("{world}\n[site]\ncontinuity = true\n\n[fleet]\nmin_sites = 1\n")
}

/// What the services are told, and the world in which they run.
fn prepare(place: &Path) {
    fs::write(place.join("world.toml"), world()).unwrap();
    fs::create_dir(place.join("www")).unwrap();
    fs::write(place.join("www/file"), octets(DOWNLOAD)).unwrap();
    let here = place.display();
    let [v4, v6] = SERVICE;
    let nginx = format!(
        "daemon off; master_process off; user root; pid {here}/nginx.pid; error_log stderr;\n\
         events {{}}\nhttp {{ access_log off; client_max_body_size 0; client_body_temp_path {here}/body;\n\
         server {{ listen {v4}:{HTTP}; listen {v6}:{HTTP}; root {here}/www; location /up/ {{ dav_methods PUT; \
         create_full_put_path on; }} }} }}\n"
    );
    fs::write(place.join("nginx.conf"), nginx).unwrap();
    for key in ["host", "user"] {
        let file = place.join(key);
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file).status();
        assert!(made.unwrap().success());
    }
    let sshd = format!(
        "Port {SSH}\nListenAddress {v4}\nListenAddress {v6}\nHostKey {here}/host\nAuthorizedKeysFile {here}/user.pub\n\
         StrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\n"
    );
    fs::write(place.join("sshd.conf"), sshd).unwrap();
}

/// Starts them at Tokyo.
fn serve(lab: &Lab<'_>, place: &Path) -> Vec<Program> {
    let here = |file: &str| place.join(file).display().to_string();
    let start = |words: &[&str]| Program::start(lab, "site-tokyo", words);
    let sshd = format!("mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e -f {}", here("sshd.conf"));
    let iperf = [0, 1].map(|family| {
        let address = SERVICE[family].trim_matches(['[', ']']);
        start(&["iperf3", "-s", "-B", address, "-p", &IPERF[family].to_string()])
    });
    let others = [start(&["nginx", "-p", &here(""), "-c", &here("nginx.conf")]), start(&["sh", "-c", &sshd])];
    others.into_iter().chain(iperf).collect()
}

/// What a client at Tokyo does over one family.
struct Clients {
    download: Program,
    downloaded: Vec<u8>,
    upload: Program,
    ssh: Program,
    iperf: Program,
}

impl Clients {
    fn begin(lab: &Lab<'_>, place: &Path, family: usize) -> Self {
        let address = SERVICE[family];
        let bare = address.trim_matches(['[', ']']);
        let start = |words: &[&str]| Program::start(lab, "tokyo", words);
        let url = |path: &str| format!("http://{address}:{HTTP}/{path}");
        let mut download = start(&["curl", "-sSf", &url("file")]);
        let mut downloaded = vec![0; 1 << 20];
        download.output.read_exact(&mut downloaded).unwrap();
        let mut upload = start(&["curl", "-sSf", "-H", "Expect:", "-T", "-", &url(&format!("up/{family}"))]);
        upload.say(&octets(UPLOAD)[..UPLOAD / 2]);
        let key = place.join("user").display().to_string();
        let options = ["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o"];
        let more = ["UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-i", &key, "-p", "2222", "-l"];
        let mut ssh = start(&[&["ssh"], &options[..], &more, &["root", bare, "cat"]].concat());
        ssh.say(b"before\n");
        assert_eq!(ssh.hear(), "before\n");
        let port = IPERF[family].to_string();
        let rate = ["-t", "600", "-b", "10M", "-i", "1", "--forceflush"];
        let mut iperf = start(&[&["iperf3", "-c", bare, "-p", &port], &rate[..]].concat());
        while !carried(&iperf.hear()) {}
        Clients { download, downloaded, upload, ssh, iperf }
    }

    /// The session goes on, and so do upload and download, to their ends.
    fn go_on(&mut self, place: &Path, family: usize) {
        self.ssh.say(b"after\n");
        assert_eq!(self.ssh.hear(), "after\n", "the session that was idle meanwhile");
        self.ssh.end();
        self.upload.say(&octets(UPLOAD)[UPLOAD / 2..]);
        self.upload.end();
        assert!(fs::read(place.join(format!("www/up/{family}"))).unwrap() == octets(UPLOAD), "uploaded");
        self.downloaded.extend(self.download.end());
        assert!(self.downloaded == octets(DOWNLOAD), "downloaded");
    }
}

/// Whether a line of iperf3 is that of a second in which octets were carried.
fn carried(line: &str) -> bool {
    line.contains("sec") && line.contains("bits/sec") && !line.contains(" 0.00 Bytes")
}

/// Packets of connections that London forwards, by port of the service.
fn forwarded(lab: &Lab<'_>) -> BTreeMap<u64, u64> {
    let flows = lab.exec("site-london", &[PROGRAM, "flows", "--json"]);
    let flows: serde_json::Value = serde_json::from_str(&flows).unwrap_or_default();
    let mut ports = BTreeMap::new();
    for flow in flows["forwarded"].as_array().into_iter().flatten() {
        let port = flow["service"].as_str().and_then(|end| end.rsplit_once(':')?.1.parse().ok());
        *ports.entry(port.unwrap_or_default()).or_default() += flow["packets"].as_u64().unwrap_or_default();
    }
    ports
}

/// What the guide shows when somebody asks where a connection goes.
fn guide() -> Vec<&'static str> {
    let guide = include_str!("../../../../docs/guides/continuity.md").lines();
    let shown =
        guide.skip_while(|line| !line.starts_with("$ catchment explain 203.0.113.7:40000 198.18.0.53:443"));
    shown.skip(1).take_while(|line| !line.starts_with('$')).collect()
}

/// The sums of both sites, in each place where an operator sees them.
fn counted(lab: &Lab<'_>) {
    for (here, other, direction, word) in
        [("london", "tokyo", "forwarded", "to"), ("tokyo", "london", "received", "from")]
    {
        let node = format!("site-{here}");
        let flows = lab.exec(&node, &[PROGRAM, "flows", "--json"]);
        let flows: serde_json::Value = serde_json::from_str(&flows).unwrap();
        let [total] = flows["continuity"][direction].as_array().unwrap().as_slice() else {
            panic!("{flows}")
        };
        assert_eq!((&total["site"], &total["host"]), (&other.into(), &other.into()));
        let listed = flows[direction].as_array().unwrap();
        assert_eq!(total["connections"], listed.len(), "{flows}");
        let since = listed.iter().map(|flow| flow["since"].as_u64().unwrap()).min().unwrap();
        // Both were worked out from how long ago it was, a moment apart.
        assert!(total["since"].as_u64().unwrap().abs_diff(since) < 1_000, "{flows}");
        let shown = lab.exec(&node, &[PROGRAM, "flows"]);
        let row = shown.lines().find(|line| line.contains(&format!("{word} {other}"))).unwrap_or_default();
        assert!(row.starts_with(&format!("{} ", listed.len())), "{shown}");
        let get = |path: &str| lab.exec(&node, &["curl", "-sS", &format!("http://127.0.0.1:9053{path}")]);
        wait_until("the page shows them", || {
            let picture: serde_json::Value = serde_json::from_str(&get("/picture")).unwrap_or_default();
            picture["continuity"][direction][0]["site"] == other
        });
        wait_until("the metrics count them", || {
            let metrics = get("/metrics");
            metrics
                .contains(&format!("catchment_continuity_{direction}{{site=\"{other}\",host=\"{other}\"}} "))
        });
    }
}

/// Each site says of a connection of either family whose it is, and where its packets go.
fn explained(lab: &Lab<'_>) {
    let ask = |site: &str, words: &[&str]| lab.exec(site, &[&[PROGRAM, "explain"], words].concat());
    let read = |text: String| serde_json::from_str::<serde_json::Value>(&text).unwrap();
    let flows = read(lab.exec("site-london", &[PROGRAM, "flows", "--json"]));
    let flows = flows["forwarded"].as_array().unwrap();
    for family in SERVICE {
        let is_of = |end: &serde_json::Value| end.as_str().is_some_and(|end| end.starts_with(family));
        let flow = flows.iter().find(|flow| is_of(&flow["service"])).unwrap();
        let [client, service] = ["client", "service"].map(|end| flow[end].as_str().unwrap());
        let at_london = read(ask("site-london", &[client, service, "--json"]))["flows"][0].take();
        assert_eq!(
            (&at_london["owner"], &at_london["to"]),
            (&"tokyo".into(), &"tokyo".into()),
            "{at_london}"
        );
        assert_eq!((&at_london["next"], &at_london["verdict"]), (&"forwarded".into(), &"learned".into()));
        assert_eq!(at_london["claimed_by"][0], "tokyo", "{at_london}");
        assert!(at_london["forwarded"]["packets"].as_u64() > Some(0), "{at_london}");
        let at_tokyo = read(ask("site-tokyo", &[client, "--json"]))["flows"][0].take();
        assert_eq!(
            (&at_tokyo["owner"], &at_tokyo["service"]),
            (&"tokyo".into(), &service.into()),
            "{at_tokyo}"
        );
        assert_eq!((&at_tokyo["next"], &at_tokyo["verdict"]), (&"passes".into(), &"owned".into()));
        assert_eq!(at_tokyo["received"]["site"], "london", "{at_tokyo}");
        let at_newyork = read(ask("site-newyork", &[client, service, "--json"]))["flows"][0].take();
        assert_eq!((&at_newyork["owner"], &at_newyork["verdict"]), (&"tokyo".into(), &"claimed".into()));

        let said = ask("site-london", &[client, service]);
        let real = |line: &str| line.replace("203.0.113.7:40000", client).replace("198.18.0.53:443", service);
        let [first, second, third]: [&str; 3] = guide().try_into().unwrap();
        let until = |line: &str| line.split(" for ").next().unwrap_or_default().to_owned();
        assert_eq!(said.lines().take(2).collect::<Vec<_>>(), [real(first), real(second)]);
        assert_eq!(said.lines().nth(2).map(until), Some(until(third)), "{said}");
    }
    counted(lab);
    let refused = |words: &[&str], because: &str| {
        let output = lab.lab("exec", &[&["site-london", "--", PROGRAM, "explain"], words].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(because), "{words:?}: {said}");
    };
    refused(&["203.0.113.7:9"], "no connection of 203.0.113.7:9 is known here");
    refused(&["203.0.113.7:9", "198.18.9.53:53"], "198.18.9.53 is no address of a service of london");
    refused(&["[2001:db8::7]:9", "198.18.0.53:53"], "cannot be the ends of one connection");
    let nobody = read(ask("site-london", &["203.0.113.7:9", "198.18.0.53:53", "--json"]))["flows"][0].take();
    assert_eq!(
        (&nobody["owner"], &nobody["next"]),
        (&serde_json::Value::Null, &"dropped".into()),
        "{nobody}"
    );
    assert_eq!(nobody["verdict"], "unclaimed");
}

/// Whether each of iperf3's connections has had so many packets forwarded since.
fn have_grown(lab: &Lab<'_>, before: &BTreeMap<u64, u64>, by: u64) -> bool {
    let (now, of) = (forwarded(lab), |ports: &BTreeMap<u64, u64>, port| ports.get(&port).copied());
    IPERF.map(u64::from).into_iter().all(|port| of(&now, port) >= Some(of(before, port).unwrap_or(0) + by))
}

/// What Tokyo has told London: how many connections it has; none while London does not forward to it.
pub(crate) fn said_by_tokyo(lab: &Lab<'_>) -> Option<u64> {
    let status = lab.exec("site-london", &[PROGRAM, "status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status).ok()?;
    let continuity = &status["continuity"];
    let tokyo = continuity["owners"].as_array()?.iter().find(|owner| owner["site"] == "tokyo")?;
    tokyo["connections"].as_u64().filter(|_| continuity["state"] == "on")
}

#[test]
fn curl_ssh_and_iperf3_do_not_notice_that_routing_moves_them() {
    let directory = TempDir::new().unwrap();
    let place = directory.path();
    prepare(place);
    let mut lab = Lab::up(&Caller::Root, "test-moved", &place.join("world.toml"), &[]);
    lab.wait_for("every client answered after");
    let _services = serve(&lab, place);
    wait_until("every service listens", || {
        let listening = lab.exec("site-tokyo", &["ss", "-Hltn"]);
        let ports = [HTTP, SSH].map(|port| (port, 2)).into_iter().chain(IPERF.map(|port| (port, 1)));
        ports.into_iter().all(|(port, count)| listening.matches(&format!(":{port} ")).count() == count)
    });
    wait_until("London and Tokyo know each other", || said_by_tokyo(&lab).is_some());

    let mut clients = [0, 1].map(|family| Clients::begin(&lab, place, family));
    // A session, an upload, a download, and two connections of iperf3, over each family.
    wait_until("London knows them", || said_by_tokyo(&lab) >= Some(10));
    let output = lab.lab("fault", &["withdraw", "site", "tokyo"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    wait_until("both families go by London", || have_grown(&lab, &BTreeMap::new(), 1));
    explained(&lab);
    let before = forwarded(&lab);
    for (family, clients) in clients.iter_mut().enumerate() {
        clients.go_on(place, family);
    }
    // As many as a window holds, and more: it goes on only because the answers arrive.
    wait_until("iperf3 goes on", || have_grown(&lab, &before, 1000));
    let is_running = |clients: &mut Clients| clients.iperf.process.try_wait().unwrap().is_none();
    assert!(clients.iter_mut().all(is_running));
}
