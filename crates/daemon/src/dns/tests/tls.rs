//! DNS over TLS: the same answers, asked by `kdig` and by rustls.

use super::*;
use config::DnsTls;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};
use std::fs;

const NAME: &str = "dns.example";

/// A certificate for [`NAME`], also as PEM, and its key.
pub(super) struct Identified {
    pub(super) tls: DnsTls,
    pem: String,
    pub(super) client: Arc<ClientConfig>,
}

/// Somebody new, with these keys for tickets.
pub(super) fn identified(ticket_keys: &[&str]) -> Identified {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec![NAME.to_owned()]).unwrap().self_signed(&key).unwrap();
    let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = ring::default_provider();
    let certified = CertifiedKey::from_der(vec![certificate.der().clone()], der, &provider).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let client =
        ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
    let mut client = client.unwrap().with_root_certificates(roots).with_no_client_auth();
    client.alpn_protocols = vec![b"dot".to_vec()];
    let ticket_keys = ticket_keys.iter().map(|key| key.parse().unwrap()).collect();
    Identified {
        tls: DnsTls { certificate: Arc::new(certified), ticket_keys },
        pem: certificate.pem(),
        client: Arc::new(client),
    }
}

fn world(tls: &DnsTls) -> World {
    World::with(&Settings { tls: Some(tls.clone()), limits: limits(100, 3600), ..settings(1) })
}

impl World {
    fn connect_tls(
        &self,
        address: &str,
        client: &Arc<ClientConfig>,
    ) -> StreamOwned<ClientConnection, TcpStream> {
        let name = ServerName::try_from(NAME).unwrap();
        let connection = ClientConnection::new(Arc::clone(client), name).unwrap();
        StreamOwned::new(connection, self.connect_to((address, TLS_PORT)))
    }

    /// The reply, and whether the handshake went on with an earlier session.
    pub(super) fn ask_tls(&self, address: &str, client: &Arc<ClientConfig>, query: &[u8]) -> (Vec<u8>, bool) {
        let mut stream = self.connect_tls(address, client);
        stream.write_all(&framed(query)).unwrap();
        let reply = read_framed(&mut stream);
        (reply, stream.conn.handshake_kind() == Some(HandshakeKind::Resumed))
    }

    /// The same for an address of IPv4 and some question.
    fn ask_again(&self, client: &Arc<ClientConfig>) -> (Vec<u8>, bool) {
        self.ask_tls(SERVICE[0], client, &query(9, 6))
    }
}

#[test]
fn kdig_is_answered_over_tls_and_knows_by_whom() {
    let identified = identified(&[]);
    let world = world(&identified.tls);
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("authority.pem");
    fs::write(&authority, &identified.pem).unwrap();
    for address in SERVICE {
        let kdig = |more: &str| {
            let words = format!(
                "@{address} +tls-ca={} +tls-hostname={NAME} +timeout=30 +retry=0 {more}",
                authority.display()
            );
            let run = || Command::new("kdig").args(words.split(' ')).output();
            let output = world.namespace.run(run).unwrap();
            let output = output.expect("kdig is needed here: apt-get install knot-dnsutils");
            String::from_utf8(output.stdout).unwrap()
        };
        let shown = kdig("+nsid example. SOA");
        assert!(shown.contains("TLS session (TLS1.3)"), "{shown}");
        assert!(shown.contains("status: NOERROR") && shown.contains("\"london\""), "{shown}");
        let texts = kdig("+short large.example. TXT");
        assert_eq!(texts.lines().count(), 200);
    }
    assert_eq!(world.counts(Transport::Tls).handshake_failures, 0);
    assert_eq!(world.counts(Transport::Tcp).queries, 0);
}

#[test]
fn who_asks_for_padding_and_patience_is_given_both() {
    let identified = identified(&[]);
    let world = world(&identified.tls);
    let mut asked = query(9, 6);
    asked[11] = 1;
    // OPT with edns-tcp-keepalive and padding, both empty.
    asked.extend_from_slice(&[0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 8, 0, 11, 0, 0, 0, 12, 0, 0]);
    let (reply, _) = world.ask_tls(SERVICE[1], &identified.client, &asked);
    assert_eq!(reply.len(), 468);
    assert!(reply.windows(6).any(|octets| octets == [0, 11, 0, 2, 0x8c, 0xa0]), "an hour: {reply:?}");
}

#[test]
fn what_is_no_tls_is_no_session_and_disturbs_nobody() {
    let identified = identified(&[]);
    let world = world(&identified.tls);
    let mut plain = world.connect_to((SERVICE[0], TLS_PORT));
    plain.write_all(&framed(&query(1, 6))).unwrap();
    let mut alert = Vec::new();
    // An alert or a reset, and the end.
    let _ = plain.read_to_end(&mut alert);
    wait_until("the count", || world.counts(Transport::Tls).handshake_failures == 1);

    let mut web = (*identified.client).clone();
    web.alpn_protocols = vec![b"h2".to_vec()];
    let mut stream = world.connect_tls(SERVICE[0], &Arc::new(web));
    assert!(
        stream.write_all(b"GET").and_then(|()| stream.flush()).and_then(|()| stream.read(&mut [0])).is_err()
    );
    wait_until("the count", || world.counts(Transport::Tls).handshake_failures == 2);
    assert_eq!(world.ask_again(&identified.client).0[..2], [0, 9]);
}

#[test]
fn half_a_handshake_keeps_no_place() {
    let identified = identified(&[]);
    let tls = Some(identified.tls);
    let world = World::with(&Settings { tls, limits: limits(100, 1), ..settings(1) });
    let mut silent: Vec<TcpStream> = (0..20).map(|_| world.connect_to((SERVICE[0], TLS_PORT))).collect();
    // The beginning of a record that never ends.
    silent.iter_mut().for_each(|stream| stream.write_all(&[22, 3, 1, 2, 0, 1]).unwrap());
    wait_until("the end of all of them", || world.counts(Transport::Tls).idle == 20);
    wait_until("their places are free", || world.counts(Transport::Tls).open() == 0);
}

/// Without the alert that says so, a client could not tell the end of a connection from an attack (RFC 8446 section 6.1).
#[test]
fn who_cannot_be_handed_over_is_told_that_this_is_the_end() {
    let identified = identified(&[]);
    let World { namespace, server, shelf } = world(&identified.tls);
    let world = World { namespace, server, shelf };
    let connect = || {
        let mut stream = world.connect_tls(SERVICE[0], &identified.client);
        stream.write_all(&framed(&query(9, 6))).unwrap();
        read_framed(&mut stream);
        stream
    };
    let mut before = connect();
    world.server.stand();
    assert_eq!(before.read(&mut [0]).unwrap(), 0, "a planned restart");
    world.server.serve_on();
    let mut before = connect();
    let World { namespace: _namespace, server, .. } = world;
    server.stop();
    assert_eq!(before.read(&mut [0]).unwrap(), 0, "the end of the service");
}

#[test]
fn another_host_of_the_fleet_goes_on_with_a_session() {
    let (old, new) = ("0a".repeat(32), "0b".repeat(32));
    let mut london = identified(&[&old]);
    let (tokyo, stranger) = (
        DnsTls { ticket_keys: vec![new.parse().unwrap(), old.parse().unwrap()], ..london.tls.clone() },
        DnsTls { ticket_keys: Vec::new(), ..london.tls.clone() },
    );
    let (reply, resumed) = world(&london.tls).ask_again(&london.client);
    assert!(!resumed && reply[..2] == [0, 9]);
    let (tokyo, stranger) = (world(&tokyo), world(&stranger));
    assert!(tokyo.ask_again(&london.client).1, "with the key that is old there");
    assert!(!stranger.ask_again(&london.client).1, "it has keys of its own");

    // A reload leaves the keys of its own as they are.
    assert!(stranger.ask_again(&london.client).1);
    stranger
        .server
        .receive(limits(100, 3600), Some(&DnsTls { ticket_keys: Vec::new(), ..london.tls.clone() }));
    assert!(stranger.ask_again(&london.client).1, "what clients have is still good");

    // A reload shows another certificate to whoever calls from then on.
    let renewed = identified(&[&new]);
    london.tls = renewed.tls;
    tokyo.server.receive(limits(100, 3600), Some(&london.tls));
    assert_eq!(tokyo.ask_again(&renewed.client).0[..2], [0, 9]);
}
