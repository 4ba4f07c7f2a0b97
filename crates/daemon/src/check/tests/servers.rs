//! Servers that answer, refuse, lie, flood and say nothing.

use super::*;
use ::check::{clock, http, tcp, tls};
use config::{Issuers, ServerCertificate};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Long enough to be quiet, short enough to wait for.
const SHORT: Duration = Duration::from_millis(50);

/// From the address to itself, as a service is asked.
fn to(address: SocketAddr) -> Way {
    Way { to: address, from: Some(address.ip()) }
}

/// A server that says `text` to each caller as soon as it has heard `after`, and then `more` for as long as anybody
/// listens.
async fn server(after: &'static str, text: &'static str, more: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, after, text, more));
        }
    });
    address
}

async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    after: &'static str,
    text: &'static str,
    more: &'static str,
) {
    let (mut heard, mut piece) = (Vec::new(), [0; 512]);
    while !heard.ends_with(after.as_bytes()) {
        match stream.read(&mut piece).await {
            Ok(octets @ 1..) => heard.extend_from_slice(&piece[..octets]),
            Ok(0) | Err(_) => return,
        }
    }
    let mut is_heard = stream.write_all(text.as_bytes()).await.is_ok();
    while is_heard && !more.is_empty() {
        is_heard = stream.write_all(more.as_bytes()).await.is_ok();
    }
    // An orderly end; the caller may have gone already.
    let _ = stream.shutdown().await;
}

/// A port that somebody has and nobody listens on.
fn dead() -> (socket2::Socket, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

fn call(address: SocketAddr, banner: Option<&str>) -> Question {
    let expectation = tcp::Expectation { banner: banner.map(str::to_owned) };
    Question::Tcp { way: to(address), expectation }
}

#[tokio::test]
async fn a_connection_and_a_greeting() {
    let mail = server("", "220 mail.example.com\r\n", "").await;
    assert_eq!(words(&ask(&call(mail, None)).await), "pass");
    assert_eq!(words(&ask(&call(mail, Some("220 "))).await), "pass");
    let other = ask(&call(mail, Some("SSH-"))).await;
    assert_eq!(words(&other), "Definite: greeted with \"220 mail.example.com\"");
    let silent = server("never", "", "").await;
    let finding = ask_for(&asker(&call(silent, Some("220 "))), SHORT).await;
    assert_eq!(words(&finding), "Timeout: no answer within 50 ms");
    let (_held, nobody) = dead();
    let finding = ask(&call(nobody, None)).await;
    assert_eq!(words(&finding), "Definite: refused: nobody listens on the service address");
}

fn get(address: SocketAddr, tls: Option<ServerCertificate>) -> Question {
    let expectation = http::Expectation {
        host: "www.example.com".to_owned(),
        target: "/health".to_owned(),
        statuses: vec![200],
        contains: Some("ready".to_owned()),
    };
    Question::Http { way: to(address), tls, expectation }
}

#[tokio::test]
async fn a_page() {
    let good = server("\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready", "").await;
    assert_eq!(words(&ask(&get(good, None)).await), "pass");
    let closing = server("\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nnot yet", "").await;
    let finding = ask(&get(closing, None)).await;
    assert_eq!(words(&finding), "Definite: answered 200, but its body does not contain \"ready\"");
    let busy = server("\r\n\r\n", "HTTP/1.1 503 Busy\r\n\r\n", "").await;
    assert_eq!(words(&ask(&get(busy, None)).await), "Definite: answered 503");
    let slow = server("\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nrea", "").await;
    assert_eq!(words(&ask(&get(slow, None)).await), "Definite: closed in the middle of the body");
    let silent = server("never", "", "").await;
    let finding = ask_for(&asker(&get(silent, None)), SHORT).await;
    assert_eq!(words(&finding), "Timeout: no answer within 50 ms");
    let endless_head = server("\r\n\r\n", "HTTP/1.1 200 OK\r\nA: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").await;
    let finding = ask(&get(endless_head, None)).await;
    assert_eq!(words(&finding), "Definite: the response's head is longer than 16 KiB");
    let endless_body =
        server("\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").await;
    let finding = ask(&get(endless_body, None)).await;
    assert_eq!(words(&finding), "Definite: answered 200, but its body does not contain \"ready\"");
}

/// So many days from now.
fn at(days: i64) -> time::OffsetDateTime {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    time::OffsetDateTime::from_unix_timestamp(i64::try_from(now).unwrap() + days * 86_400).unwrap()
}

/// An authority that signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Vec<u8>,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap().der().to_vec();
        Authority { issuer: Issuer::new(parameters, key), certificate }
    }

    /// A web server with a certificate for this name, which ends so many days from now.
    async fn server(&self, name: &str, days: i64) -> SocketAddr {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (parameters.not_before, parameters.not_after) = (at(-60), at(days));
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateDer::from(parameters.signed_by(&key, &self.issuer).unwrap().der().to_vec());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.unwrap().with_no_client_auth().with_single_cert(vec![leaf], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A caller that does not like the certificate hangs up.
                if let Ok(stream) = acceptor.accept(stream).await {
                    talk(stream, "\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nready", "").await;
                }
            }
        });
        address
    }

    /// Trust in this authority alone.
    fn trust(&self) -> Issuers {
        Issuers::These(Arc::from([self.certificate.clone()]))
    }
}

/// A certificate for `www.example.com`.
fn certificate(issuers: Issuers, days: u64) -> ServerCertificate {
    let valid_for = Duration::from_secs(days * 86_400);
    let expectation = tls::Expectation { name: "www.example.com".parse().unwrap(), valid_for };
    ServerCertificate { expectation, issuers }
}

#[tokio::test]
async fn a_page_over_tls() {
    let (ours, others) = (Authority::new(), Authority::new());
    let good = ours.server("www.example.com", 30).await;
    let secure = |address, issuers, days| get(address, Some(certificate(issuers, days)));

    let finding = ask(&secure(good, ours.trust(), 7)).await;
    assert_eq!(words(&finding), "pass");
    assert!(finding.seen.unwrap().starts_with("the certificate expires in "));
    assert_eq!(words(&ask(&secure(good, Issuers::Anybody, 0)).await), "pass");
    let foreign = ask(&secure(good, others.trust(), 0)).await;
    assert!(words(&foreign).starts_with("Definite: no handshake: invalid peer certificate"), "{foreign:?}");
    let soon = ask(&secure(good, ours.trust(), 31)).await;
    assert!(words(&soon).starts_with("Definite: the certificate expires in "), "{soon:?}");

    let expired = ours.server("www.example.com", -1).await;
    let finding = ask(&secure(expired, ours.trust(), 0)).await;
    assert!(words(&finding).starts_with("Definite: no handshake: invalid peer certificate"), "{finding:?}");
    let finding = ask(&secure(expired, Issuers::Anybody, 0)).await;
    assert!(words(&finding).starts_with("Definite: the certificate expired "), "{finding:?}");
    let other = ours.server("mail.example.com", 30).await;
    let finding = ask(&secure(other, Issuers::Anybody, 0)).await;
    assert_eq!(words(&finding), "Definite: the certificate is not for www.example.com");
}

#[tokio::test]
async fn a_handshake_alone() {
    let ours = Authority::new();
    let shake = |address| Question::Tls { way: to(address), tls: certificate(ours.trust(), 0) };
    assert_eq!(words(&ask(&shake(ours.server("www.example.com", 30).await)).await), "pass");
    let plain = server("", "220 mail.example.com\r\n", "").await;
    let finding = ask(&shake(plain)).await;
    assert!(words(&finding).starts_with("Definite: no handshake: "), "{finding:?}");
    let silent = server("never", "", "").await;
    let finding = ask_for(&asker(&shake(silent)), SHORT).await;
    assert_eq!(words(&finding), "Timeout: no answer within 50 ms");
}

#[tokio::test]
async fn an_echo_comes_back() {
    for address in ["127.0.0.1", "::1"] {
        let way = to(SocketAddr::new(address.parse().unwrap(), 0));
        assert_eq!(words(&ask(&Question::Icmp { way }).await), "pass", "{address}");
    }
}

/// A time server whose clock is so many seconds ahead.
async fn time_server(ahead: u64) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut query = [0; 64];
        while let Ok((48, asker)) = socket.recv_from(&mut query).await {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let seconds = (now.as_secs() + ahead + 2_208_988_800) & 0xffff_ffff;
            let time = (seconds << 32) | ((u64::from(now.subsec_millis()) << 32) / 1000);
            let mut reply = [0; 48];
            (reply[0], reply[1]) = (0x24, 1);
            reply[24..32].copy_from_slice(&query[40..48]);
            reply[32..40].copy_from_slice(&time.to_be_bytes());
            reply[40..48].copy_from_slice(&time.to_be_bytes());
            socket.send_to(&reply, asker).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_clock_is_compared() {
    let expectation = clock::Expectation { max_skew: Duration::from_secs(600) };
    let compare = |server| Question::Clock { server, expectation };
    let finding = ask(&compare(time_server(0).await)).await;
    assert_eq!(words(&finding), "pass");
    assert!(finding.seen.unwrap().starts_with("the clock is "));
    let finding = ask(&compare(time_server(7200).await)).await;
    assert!(words(&finding).starts_with("Definite: the clock is 1"), "{finding:?}");
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let finding = ask_for(&asker(&compare(silent.local_addr().unwrap())), SHORT).await;
    assert_eq!(words(&finding), "indeterminate: no answer within 50 ms");
    let gone = silent.local_addr().unwrap();
    drop(silent);
    let finding = ask(&compare(gone)).await;
    assert!(words(&finding).starts_with("indeterminate: the check could not run"), "{finding:?}");
}
