//! DNS over TLS (RFC 7858): who we are, and what we agree on.

use super::tickets::Tickets;
use crate::dns::Error;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use rustls::sign::SingleCertAndKey;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// The protocol inside, for clients that ask (RFC 7858 section 3.1, the registry of ALPN).
const ALPN: &[u8] = b"dot";

/// TLS as it is set: versions 1.2 and 1.3 (RFC 9325), one certificate, tickets.
#[derive(Clone, Debug)]
pub(in crate::dns) struct Tls {
    config: Arc<ServerConfig>,
    /// Tickets of this process, for as long as no file says with which keys.
    own: Arc<dyn ProducesTickets>,
}

impl Tls {
    /// As the site file says.
    pub(in crate::dns) fn new(settings: &config::DnsTls) -> Result<Self, Error> {
        Tls::with(settings, ring::Ticketer::new().map_err(Error::Tls)?)
    }

    /// As another site file says. What clients have of this process stays good.
    pub(in crate::dns) fn changed(&self, settings: &config::DnsTls) -> Result<Self, Error> {
        Tls::with(settings, Arc::clone(&self.own))
    }

    fn with(settings: &config::DnsTls, own: Arc<dyn ProducesTickets>) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let resolver = Arc::new(SingleCertAndKey::from((*settings.certificate).clone()));
        let mut config = builder.map_err(Error::Tls)?.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![ALPN.to_vec()];
        // A session is known by its ticket alone, so that any host of the fleet can go on with it.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = match settings.ticket_keys.as_slice() {
            [] => Arc::clone(&own),
            keys => Arc::new(Tickets::new(keys)),
        };
        Ok(Tls { config: Arc::new(config), own })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}
