//! Shakes hands with a TLS server and looks at its certificate.

use super::way;
use crate::clock::Clock;
use check::Finding;
use check::tls::{Expectation, ServerName};
use config::{Issuers, Way};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, IpAddr, ServerName as Host, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::io;
use std::sync::Arc;
use terms::{Reason, Verdict};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Protocols to offer: none, and HTTP/1.1 (RFC 7301).
pub(super) const ANY: &[&[u8]] = &[];
pub(super) const HTTP: &[&[u8]] = &[b"http/1.1"];

#[derive(Debug)]
pub(crate) struct Asker {
    pub(super) way: Way,
    pub(super) client: Client,
}

impl Asker {
    /// One handshake.
    pub(super) async fn ask(&self) -> io::Result<Finding> {
        let stream = way::tcp(self.way).await?;
        Ok(match self.client.connect(stream).await? {
            Ok((_, certificate)) => certificate,
            Err(finding) => finding,
        })
    }
}

/// What is needed to shake hands, or why this host cannot.
#[derive(Clone, Debug)]
pub(super) struct Client {
    ready: Result<Ready, Reason>,
    expectation: Expectation,
    clock: Clock,
}

#[derive(Clone)]
struct Ready {
    connector: TlsConnector,
    host: Host<'static>,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Client {
    pub(super) fn new(tls: &config::ServerCertificate, protocols: &[&[u8]], clock: Clock) -> Self {
        let ready = client_config(&tls.issuers, protocols).and_then(|config| {
            let host = host(&tls.expectation.name)?;
            Ok(Ready { connector: TlsConnector::from(Arc::new(config)), host })
        });
        Client { ready: ready.map_err(Reason::from), expectation: tls.expectation.clone(), clock }
    }

    /// The connection and what its certificate is like; what was found instead where there is none, or where the
    /// certificate is not good.
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
    ) -> io::Result<Result<(TlsStream<TcpStream>, Finding), Finding>> {
        let ready = match &self.ready {
            Ok(ready) => ready,
            Err(reason) => return Ok(Err(Verdict::Indeterminate { reason: reason.clone() }.into())),
        };
        let connected = ready.connector.connect(ready.host.clone(), stream).await;
        let stream = match connected.map_err(refused) {
            Ok(stream) => stream,
            Err(Ok(verdict)) => return Ok(Err(verdict.into())),
            Err(Err(error)) => return Err(error),
        };
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let leaf = certificates.first().map(AsRef::as_ref).unwrap_or_default();
        let finding = self.expectation.judge(leaf, self.clock.wall());
        Ok(if finding.verdict == Verdict::Pass { Ok((stream, finding)) } else { Err(finding) })
    }
}

/// What a failed handshake says about the server, unless it was the connection that failed.
fn refused(error: io::Error) -> Result<Verdict, io::Error> {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(tls) => Ok(Verdict::definite(format!("no handshake: {tls}"))),
        None => Err(error),
    }
}

fn client_config(issuers: &Issuers, protocols: &[&[u8]]) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = match issuers {
        Issuers::System => builder.with_root_certificates(system_roots()?),
        Issuers::These(certificates) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates.iter() {
                let added = roots.add(CertificateDer::from(certificate.clone()));
                added.map_err(|error| format!("a certificate of `ca_file` cannot be used: {error}"))?;
            }
            builder.with_root_certificates(roots)
        }
        Issuers::Anybody => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyIssuer { provider }))
        }
    }
    .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    // A resumed session would show no certificate.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn system_roots() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    // Certificates that cannot be read are no reason not to trust the others.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("this host trusts nobody: install ca-certificates, or give `ca_file`".to_owned());
    }
    Ok(roots)
}

fn host(name: &ServerName) -> Result<Host<'static>, String> {
    match name {
        ServerName::Address(address) => Ok(Host::IpAddress(IpAddr::from(*address))),
        ServerName::Host(host) => {
            Host::try_from(host.clone()).map_err(|error| format!("`{host}` cannot be asked for: {error}"))
        }
    }
}

/// Takes a certificate whoever signed it; that the server has its key is verified all the same.
#[derive(Debug)]
struct AnyIssuer {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyIssuer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &Host<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
