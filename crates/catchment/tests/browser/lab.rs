//! A world for the page to show, and a page of somebody else's beside it.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

/// However the test ends, even killed: the lab ends by itself some time later.
const LONGEST: &str = "5m";
/// Packets that may be lost until routers know the way, each of which is waited for (half a second).
const MOST_SENT: usize = 60;

/// A running world.
pub(crate) struct Lab {
    process: Child,
    name: String,
    /// Where its page is.
    pub(crate) url: String,
}

impl Lab {
    /// Brings a world up, and waits until everybody is answered.
    pub(crate) fn up(world: &str, name: &str) -> Self {
        let mut command = Command::new(crate::PROGRAM);
        command.args(["lab", "up", world, "--name", name, "--listen", "127.0.0.1:0", "--duration", LONGEST]);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap());
        let mut all = String::new();
        let url = loop {
            let line = all.len();
            assert!(said.read_line(&mut all).unwrap() > 0, "it never said where its map is:\n{all}");
            let mut words = all[line..].split_whitespace();
            if let Some(url) = words.find(|word| word.starts_with("http://")) {
                break url.to_owned();
            }
        };
        // Nobody may have to wait because nobody listens.
        thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Lab { process, name: name.to_owned(), url }
    }

    /// Waits until a packet of one host comes to another: everybody may be answered by the nearest site before routers know the
    /// way across the world.
    pub(crate) fn until_reached(&self, from: &str, to: &str) {
        let received = format!("received by {to}");
        for _ in 0..MOST_SENT {
            let mut command = Command::new(crate::PROGRAM);
            command.args(["lab", "send", "--name", &self.name, "unicast", "from", from, "to", to]);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            if String::from_utf8_lossy(&output.stdout).contains(&received) {
                return;
            }
        }
        panic!("{from} never reached {to}");
    }

    /// The picture as anybody may read it.
    pub(crate) fn picture(&self) -> Value {
        let address = self.url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET /picture HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// The names of its sites, in their places.
    pub(crate) fn sites(&self) -> Vec<String> {
        let picture = self.picture();
        let sites = picture["sites"].as_array().unwrap().iter();
        sites.map(|site| site["name"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server of somebody else's, whose page wants to break the lab.
pub(crate) struct Foreign {
    /// Where it is.
    pub(crate) url: String,
}

/// It orders blindly, orders with a form, and wants to read the page for its token and the picture.
const ATTEMPTS: &str = "<!doctype html><title>trying</title><iframe name=sink></iframe>
<form action='LABcommand' method=post target=sink enctype='text/plain'>
<input name='{\"kind\":\"power-cut\",\"target\":\"site london\",\"x\":\"' value='\"}'></form>
<script>
window.stolen = [];
const order = JSON.stringify({ kind: 'power-cut', target: 'site london' });
const read = (path) => fetch('LAB' + path).then((answer) => answer.text()).then((text) => stolen.push(text), () => {});
const blind = fetch('LABcommand', { method: 'POST', mode: 'no-cors', body: order }).catch(() => {});
const typed = fetch('LABcommand', { method: 'POST', body: order,
  headers: { 'content-type': 'application/json', 'x-catchment-token': '0' } }).catch(() => {});
const submitted = new Promise((done) => { document.querySelector('iframe').onload = done; });
document.forms[0].submit();
Promise.all([blind, typed, submitted, read(''), read('picture')]).then(() => { document.title = 'tried'; });
</script>";

impl Foreign {
    /// Serves it until the test ends.
    pub(crate) fn serve(lab: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let page = ATTEMPTS.replace("LAB", lab);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while head.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                let length = page.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                // A browser that goes away early is no news.
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(page.as_bytes()));
            }
        });
        Foreign { url }
    }
}
