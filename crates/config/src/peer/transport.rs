//! How the TCP connections with a neighbour are made and guarded.

use super::address::{self, PeerAddress};
use crate::secret_file;
use document::{Document, Spanned, Table};
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::path::{Path, PathBuf};
use terms::{Family, SharedKey};

/// How the TCP connections with a neighbour are made and guarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transport {
    /// Our own address to call from; what the routes say where there is none.
    pub source: Option<IpAddr>,
    /// How every segment is signed; none: not at all.
    pub signature: Option<Signature>,
    /// How many hops away the neighbour is at most (GTSM, RFC 5082): 1 is the next host. None: anywhere.
    pub ttl_security: Option<NonZeroU8>,
}

/// How every segment is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// TCP-MD5 (RFC 2385).
    Md5(SharedKey),
    /// TCP-AO (RFC 5925).
    Ao(AoKey),
}

/// A key of TCP-AO with its numbers: a Master Key Tuple (RFC 5925 section 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AoKey {
    /// What both ends know.
    pub key: SharedKey,
    /// How the authentication code is made.
    pub algorithm: AoAlgorithm,
    /// The number that we send with it.
    pub send_id: u8,
    /// The number that the neighbour sends with it.
    pub receive_id: u8,
}

/// How an authentication code is made: the two that RFC 5926 section 3.1 requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AoAlgorithm {
    /// HMAC-SHA-1-96.
    HmacSha1,
    /// AES-128-CMAC-96.
    Aes128Cmac,
}

impl Transport {
    /// The TTL with which packets of the neighbour arrive at least (RFC 5082 section 3): they leave with 255, and each
    /// hop but the last takes one off. Zero where it may be anywhere.
    pub fn least_ttl(&self) -> u8 {
        self.ttl_security.map_or(0, |hops| u8::MAX - (hops.get() - 1))
    }
}

const ALGORITHMS: [(&str, AoAlgorithm); 2] =
    [("hmac-sha-1", AoAlgorithm::HmacSha1), ("aes-128-cmac", AoAlgorithm::Aes128Cmac)];

/// So many hops still leave a TTL of 1.
const MOST_HOPS: u8 = u8::MAX;

/// Reads the keys of a `[[peer]]` that are about its connections; none where one is faulty.
pub(super) fn read(
    table: &Table,
    peer: Option<&Spanned<PeerAddress>>,
    directory: &Path,
) -> Option<Transport> {
    let (password_file, tcp_ao) = (table.optional("password_file"), table.optional("tcp_ao"));
    let hops = table.optional("ttl_security");
    let ttl_security = hops.number_in(1..=MOST_HOPS);
    let source = table.optional("source");
    let address = source.parse::<IpAddr>();
    if password_file.is_given() && tcp_ao.is_given() {
        let message =
            "a session is signed with TCP-MD5 (`password_file`) or TCP-AO (`tcp_ao`), not with both";
        table.document().fault_with_hint(tcp_ao.key_span(), message, "leave one of them out");
        return None;
    }
    let md5 = password_file.path().map(|file| key(table.document(), &file, directory).map(Signature::Md5));
    let ao = tcp_ao.table().map(|table| ao(&table, directory).map(Signature::Ao));
    if let (Some(address), Some(peer)) = (&address, peer) {
        source_fits(table.document(), address, peer)?;
    }
    let signature = match md5.or(ao) {
        Some(signature) => Some(signature?),
        None if password_file.is_given() || tcp_ao.is_given() => return None,
        None => None,
    };
    if (source.is_given() && address.is_none()) || (hops.is_given() && ttl_security.is_none()) {
        return None;
    }
    Some(Transport {
        source: address.map(|address| address.value),
        signature,
        ttl_security: ttl_security.and_then(|hops| NonZeroU8::new(hops.value)),
    })
}

fn source_fits(document: &Document, source: &Spanned<IpAddr>, peer: &PeerAddress) -> Option<()> {
    if Family::of(source.value) != Family::of(peer.ip) {
        document.fault(source.span.clone(), format!("nobody can call {peer} from {}", source.value));
        return None;
    }
    if address::is_link_local(source.value) != address::is_link_local(peer.ip) {
        let message = "`source` and `address` are both link-local, or neither is";
        document.fault(source.span.clone(), message);
        return None;
    }
    Some(())
}

fn ao(table: &Table, directory: &Path) -> Option<AoKey> {
    let document = table.document();
    let file = table.required("key_file").path();
    let send_id = table.required("send_id").number_in(0..=u8::MAX);
    let receive_id = table.required("receive_id").number_in(0..=u8::MAX);
    let word = table.optional("algorithm");
    let algorithm = word.one_of(&ALGORITHMS);
    let key = file.and_then(|file| key(document, &file, directory));
    let algorithm = match (algorithm, word.is_given()) {
        (Some(algorithm), _) => algorithm.value,
        (None, false) => AoAlgorithm::HmacSha1,
        (None, true) => return None,
    };
    let message = "`tcp_ao` needs a kernel with CONFIG_TCP_AO (Linux 6.7 or newer): a daemon whose kernel has none \
                   does not start";
    let hint = "on the site's own host: grep CONFIG_TCP_AO /boot/config-$(uname -r)";
    document.warn(table.span(), message, hint);
    Some(AoKey { key: key?, algorithm, send_id: send_id?.value, receive_id: receive_id?.value })
}

/// The key in a file: its only line.
fn key(document: &Document, file: &Spanned<PathBuf>, directory: &Path) -> Option<SharedKey> {
    let line = secret_file::read(document, file, directory, SharedKey::MOST)?;
    match SharedKey::new(line) {
        Ok(key) => Some(key),
        Err(error) => {
            let hint = secret_file::looked_for(file, directory);
            document.fault_with_hint(file.span.clone(), error.to_string(), hint);
            None
        }
    }
}
