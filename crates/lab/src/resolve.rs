//! A client that has a name resolved once, as `dig` would: through whatever resolver the anycast address leads it to.

use crate::plan::SERVICE;
use crate::question::{self, CLIENT_COOKIE};
use crate::running::Lab;
use crate::scenario::facts::Resolved;
use crate::scenario::words::ClientName;
use domain::base::Rtype;
use linux::{Namespace, socket};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;
use terms::{DomainName, Family};

const DNS: u16 = 53;
/// How long an answer may take: a resolver has two more to ask, and one of them may have moved.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Longest answer that is read, octets.
const LONGEST_ANSWER: usize = 1500;

impl Lab {
    /// What clients are answered for the TXT records of names, all at the same time. Without those who are no clients.
    pub(crate) fn resolve(
        &self,
        asked: &BTreeSet<(ClientName, DomainName)>,
    ) -> BTreeMap<(ClientName, DomainName), Vec<Resolved>> {
        let namespace = |client: &ClientName| {
            let node = self.plan.node_called(client.as_str())?;
            self.world.clients.iter().any(|known| known.name == client.as_str()).then(|| self.namespace(node))
        };
        thread::scope(|scope| {
            let ask = |question: &(ClientName, DomainName)| {
                let (namespace, (client, name)) = (namespace(&question.0)?, question.clone());
                let threads = Family::ALL.map(|family| {
                    let name = name.clone();
                    scope.spawn(move || resolve(namespace, family, &name))
                });
                Some(((client, name), threads))
            };
            // All of them have begun before the first one is waited for.
            let begun: Vec<_> = asked.iter().filter_map(ask).collect();
            let ended = begun.into_iter().map(|(question, threads)| {
                // A thread that panicked has no answer.
                (question, threads.into_iter().filter_map(|thread| thread.join().ok()).collect())
            });
            ended.collect()
        })
    }
}

fn resolve(namespace: &Namespace, family: Family, name: &DomainName) -> Resolved {
    let answer = ask(namespace, family, name);
    let server = answer.as_deref().and_then(question::read).map(|answer| answer.server);
    Resolved {
        family,
        text: answer.as_deref().and_then(question::text),
        server: server.map(|server| String::from_utf8_lossy(&server).into_owned()),
    }
}

/// The bytes of the answer; none if nothing came, or nothing from there.
fn ask(namespace: &Namespace, family: Family, name: &DomainName) -> Option<Vec<u8>> {
    let any: IpAddr = match family {
        Family::Ipv4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::Ipv6 => Ipv6Addr::UNSPECIFIED.into(),
    };
    let open = || -> std::io::Result<UdpSocket> {
        let socket = socket::bind_udp(SocketAddr::new(any, 0)).map_err(std::io::Error::other)?;
        socket.set_nonblocking(false)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        // Answers of others are not read.
        socket.connect((SERVICE.of(family), DNS))?;
        Ok(socket)
    };
    let socket = namespace.run(open).ok()?.ok()?;
    // Each question has a socket of its own, and with it a port: its number tells nothing more.
    let query = question::query(1, name, Rtype::TXT, &[0; CLIENT_COOKIE]).ok()?;
    socket.send(&query).ok()?;
    let mut answer = vec![0; LONGEST_ANSWER];
    let length = socket.recv(&mut answer).ok()?;
    answer.truncate(length);
    Some(answer)
}
