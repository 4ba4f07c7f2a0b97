//! `catchment dns query` against NSD, and against servers of a few lines that lie. On the loopback interface.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be made fails the test")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

fn ask(server: SocketAddr, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_catchment"));
    command.args(["dns", "query", &format!("@{server}")]).args(words).output().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// The page without what is another each time: numbers before `ms`, ids, cookies, and the server's address.
fn steady(page: &str, server: SocketAddr) -> String {
    let page = page.replace(&server.to_string(), "SERVER");
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let word = |(at, word): (usize, &&str)| {
            let bare = word.trim_end_matches(':');
            let is_cookie = bare.len() >= 16 && bare.bytes().all(|octet| octet.is_ascii_hexdigit());
            let varies = words.get(at + 1) == Some(&"ms") || at > 0 && words[at - 1] == "id" || is_cookie;
            if varies { word.replace(bare, "#") } else { (*word).to_owned() }
        };
        words.iter().enumerate().map(word).collect::<Vec<_>>().join(" ") + "\n"
    };
    page.lines().map(line).collect()
}

/// NSD with a zone; it ends with this value.
struct Nsd {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Nsd {
    fn start() -> Nsd {
        let folder = tempfile::tempdir().unwrap();
        // An address that only this process uses, which has at most 22 bits of a number.
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        let address: SocketAddr = (Ipv4Addr::new(127, high + 1, middle, low), 5353).into();
        let long: String = (0..9).map(|at| format!("long TXT \"{at}{}\"\n", "x".repeat(200))).collect();
        let zone = format!(
            "$ORIGIN example.\n$TTL 300\n@ SOA ns1 hostmaster 7 3600 600 1209600 300\n@ NS ns1\nns1 A 192.0.2.53\n{long}"
        );
        std::fs::write(folder.path().join("example.zone"), zone).unwrap();
        let configuration = format!(
            "server:\n ip-address: {ip}@{port}\n port: {port}\n server-count: 1\n username: \"\"\n chroot: \"\"\n \
             zonesdir: \"{here}\"\n pidfile: \"{here}/nsd.pid\"\n database: \"\"\n xfrdfile: \"{here}/xfrd.state\"\n \
             zonelistfile: \"{here}/zone.list\"\n xfrdir: \"{here}\"\n cookie-secret-file: \"\"\n \
             nsid: \"ascii_london\"\n identity: \"lon-1\"\n answer-cookie: yes\n rrl-ratelimit: 0\n\
             remote-control:\n control-enable: no\n\
             zone:\n name: \"example.\"\n zonefile: example.zone\n",
            ip = address.ip(),
            port = address.port(),
            here = folder.path().display()
        );
        let file = folder.path().join("nsd.conf");
        std::fs::write(&file, configuration).unwrap();
        let child = Command::new("nsd").args(["-d", "-c"]).arg(&file).spawn();
        let child = child.expect("nsd is needed here: `make install-test`");
        let nsd = Nsd { child, address, _folder: folder };
        let begun = Instant::now();
        while ask(nsd.address, &["example.", "SOA"]).status.code() != Some(0) {
            assert!(begun.elapsed() < Duration::from_secs(60), "NSD does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        nsd
    }
}

impl Drop for Nsd {
    fn drop(&mut self) {
        // SIGTERM, so that it ends its own children too.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

#[test]
fn nsd_says_who_it_is_and_why_it_refuses() {
    let nsd = Nsd::start();
    let questions: [(&[&str], i32); 5] = [
        (&["SOA", "example."], 0),
        (&["no-such.example.", "--dnssec", "--rec"], 0),
        (&["elsewhere.", "MX"], 1),
        (&["CH", "TXT", "id.server", "--tcp", "--no-cookie"], 0),
        (&["ns1.example.", "--no-edns", "--site"], 0),
    ];
    let mut pages = String::new();
    for (words, code) in questions {
        let output = ask(nsd.address, words);
        assert_eq!((output.status.code(), err(&output)), (Some(code), ""), "{words:?}");
        pages += &format!("$ {}\n{}\n", words.join(" "), steady(out(&output), nsd.address));
    }
    insta::assert_snapshot!(pages);

    let document = ask(nsd.address, &["example.", "NS", "--json"]);
    let document: serde_json::Value = serde_json::from_str(out(&document)).unwrap();
    assert_eq!((&document["schema"], &document["site"]), (&1.into(), &"london".into()));
    assert_eq!(
        (&document["rcode"], &document["answer"][0]["data"]),
        (&"NOERROR".into(), &"ns1.example.".into())
    );
    let edns = &document["edns"];
    assert_eq!((&edns["nsid"]["hex"], &edns["cookie"]["echoed"]), (&"6c6f6e646f6e".into(), &true.into()));
    assert_eq!(edns["cookie"]["server"].as_str().unwrap().len(), 32, "{edns}");

    let long = ask(nsd.address, &["long.example.", "TXT", "--json"]);
    let long: serde_json::Value = serde_json::from_str(out(&long)).unwrap();
    assert_eq!((&long["transport"], &long["flags"]), (&"tcp".into(), &serde_json::json!(["aa"])));
    assert_eq!(long["answer"].as_array().unwrap().len(), 9);
}

/// A server that sends for each query what `lie` makes of it, from its own port or from another.
fn server<L>(mut lie: L) -> SocketAddr
where
    L: FnMut(Vec<u8>) -> Vec<(Sender, Vec<u8>)> + Send + 'static,
{
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    // It ends with the test's process.
    thread::spawn(move || {
        let mut octets = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut octets) {
            for (sender, message) in lie(octets[..length].to_vec()) {
                let socket = match sender {
                    Sender::Server => &socket,
                    Sender::Another => &other,
                };
                socket.send_to(&message, client).unwrap();
            }
        }
    });
    address
}

#[derive(Clone, Copy)]
enum Sender {
    Server,
    Another,
}

/// The plainest answer to a query: itself, as an answer with authority. It ends with the client's cookie.
fn answer(query: &[u8]) -> Vec<u8> {
    let mut answer = query.to_vec();
    answer[2] |= 0x84;
    answer
}

/// The answer with one octet changed.
fn forged(query: &[u8], at: usize) -> Vec<u8> {
    let mut answer = answer(query);
    answer[at] ^= 1;
    answer
}

/// Each of these is no answer: by sender, id, question, cookie.
fn forgeries(query: &[u8]) -> Vec<(Sender, Vec<u8>)> {
    vec![
        (Sender::Another, answer(query)),
        (Sender::Server, forged(query, 1)),
        (Sender::Server, forged(query, 13)),
        (Sender::Server, forged(query, query.len() - 1)),
    ]
}

#[test]
fn a_forged_answer_is_ignored_and_counted() {
    let server = server(|query| [forgeries(&query), vec![(Sender::Server, answer(&query))]].concat());
    let output = ask(server, &["example.", "--timeout", "30s"]);
    assert_eq!((output.status.code(), err(&output)), (Some(0), ""));
    let counted = "; 4 ignored: from another sender 1, another id 1, another question 1, a wrong cookie 1\n";
    assert!(out(&output).ends_with(counted), "{}", out(&output));
}

#[test]
fn nothing_but_forged_answers_is_no_answer() {
    let server = server(|query| forgeries(&query));
    let output = ask(server, &["example.", "--timeout", "300ms", "--tries", "2"]);
    assert_eq!((output.status.code(), out(&output)), (Some(1), ""));
    let beginning = format!("catchment: no answer from {server} over UDP (2 x 300ms)");
    assert!(err(&output).starts_with(&beginning), "{}", err(&output));
}

#[test]
fn a_server_that_wants_to_see_its_cookie_is_shown_it() {
    let server = server(|query| {
        let mut answer = answer(&query);
        if !query.ends_with(b"12345678") {
            let length = answer.len();
            answer[3] |= 7; // BADCOOKIE is 16 + 7
            answer[length - 22] = 1; // extended code
            answer[length - 17] += 8; // length of the OPT record
            answer[length - 9] += 8; // length of the cookie
            answer.extend(b"12345678");
        }
        vec![(Sender::Server, answer)]
    });
    let output = ask(server, &["example.", "--timeout", "30s"]);
    assert_eq!((output.status.code(), err(&output)), (Some(0), ""));
    assert!(out(&output).contains("; NOERROR, flags aa"), "{}", out(&output));
    assert!(out(&output).contains(": echoed, server cookie 3132333435363738\n"), "{}", out(&output));
}

#[test]
fn a_malformed_answer_is_a_no_that_says_where() {
    let server = server(|query| {
        let mut answer = answer(&query);
        answer[7] = 1; // an answer record; what comes is cut
        answer.truncate(answer.len() - 3);
        vec![(Sender::Server, answer)]
    });
    let output = ask(server, &["example.", "--timeout", "30s"]);
    assert_eq!((output.status.code(), out(&output)), (Some(1), ""));
    let reason = "over UDP: the answer is malformed: answer section, record 1: ";
    assert!(err(&output).contains(reason), "{}", err(&output));
}

#[test]
fn a_stream_that_ends_early_and_a_closed_port_are_a_no() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut query = [0; 2];
        stream.read_exact(&mut query).unwrap();
        let mut query = vec![0; usize::from(u16::from_be_bytes(query))];
        stream.read_exact(&mut query).unwrap();
        stream.write_all(&[0, 90, 1, 2, 3]).unwrap();
    });
    let output = ask(address, &["example.", "--tcp", "--timeout", "30s"]);
    server.join().unwrap();
    assert_eq!((output.status.code(), out(&output)), (Some(1), ""));
    assert!(err(&output).contains("the server ended the connection without an answer"), "{}", err(&output));

    // Nobody listens there any more.
    for words in [&["example.", "--tcp"][..], &["example."]] {
        let output = ask(address, words);
        assert_eq!((output.status.code(), out(&output)), (Some(1), ""));
        assert!(err(&output).contains("Connection refused"), "{}", err(&output));
    }
}

#[test]
fn what_cannot_be_asked_is_bad_input() {
    let server: SocketAddr = (Ipv4Addr::LOCALHOST, 5353).into();
    for words in [&["mx"][..], &["example.", "AXFR"], &["example.", "+tcp"], &["example.", "-6"], &["a..b"]] {
        let output = ask(server, words);
        assert_eq!((output.status.code(), out(&output)), (Some(2), ""), "{words:?}");
        assert!(err(&output).starts_with("catchment: "), "{}", err(&output));
    }
}
