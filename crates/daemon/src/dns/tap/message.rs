//! An exchange as the messages of `dnstap.proto` (<https://github.com/dnstap/dnstap.pb>). The fields that a server of zones
//! has, by their numbers there. Pure.

use super::Seen;
use ::dns::Transport;
use prost::Message as _;
use std::net::{IpAddr, SocketAddr};

/// `Dnstap.Type.MESSAGE`.
const MESSAGE: i32 = 1;

/// `Message.Type`: what a server of zones was asked, and what it answered.
const AUTH_QUERY: i32 = 1;
const AUTH_RESPONSE: i32 = 2;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Dnstap {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(super) identity: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) version: Option<Vec<u8>>,
    #[prost(message, optional, tag = "14")]
    pub(super) message: Option<Message>,
    #[prost(int32, required, tag = "15")]
    pub(super) kind: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Message {
    #[prost(int32, required, tag = "1")]
    pub(super) kind: i32,
    #[prost(int32, optional, tag = "2")]
    pub(super) socket_family: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    pub(super) socket_protocol: Option<i32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub(super) query_address: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub(super) response_address: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "6")]
    pub(super) query_port: Option<u32>,
    #[prost(uint32, optional, tag = "7")]
    pub(super) response_port: Option<u32>,
    #[prost(uint64, optional, tag = "8")]
    pub(super) query_time_sec: Option<u64>,
    #[prost(fixed32, optional, tag = "9")]
    pub(super) query_time_nsec: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "10")]
    pub(super) query_message: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "12")]
    pub(super) response_time_sec: Option<u64>,
    #[prost(fixed32, optional, tag = "13")]
    pub(super) response_time_nsec: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "14")]
    pub(super) response_message: Option<Vec<u8>>,
}

/// The data frames of an exchange, each with its length in front: the query, and the reply if there is one.
pub(super) fn frames(seen: &Seen, identity: &str, out: &mut Vec<u8>) {
    let (query, reply) = seen.octets.split_at(seen.query);
    let (seconds, nanos) = (seen.at.0 / 1000, (seen.at.0 % 1000 * 1_000_000) as u32); // below 1e9
    let asked = Message {
        kind: AUTH_QUERY,
        socket_family: Some(if seen.client.is_ipv4() { 1 } else { 2 }),
        socket_protocol: Some(protocol(seen.transport)),
        query_address: Some(address(seen.client)),
        response_address: Some(address(seen.server)),
        query_port: Some(seen.client.port().into()),
        response_port: Some(seen.server.port().into()),
        query_time_sec: Some(seconds),
        query_time_nsec: Some(nanos),
        query_message: Some(query.to_vec()),
        ..Message::default()
    };
    let answered = seen.is_answered.then(|| Message {
        kind: AUTH_RESPONSE,
        query_message: None,
        response_time_sec: Some(seconds),
        response_time_nsec: Some(nanos),
        response_message: Some(reply.to_vec()),
        ..asked.clone()
    });
    for message in [Some(asked), answered].into_iter().flatten() {
        let dnstap = Dnstap {
            identity: Some(identity.into()),
            version: Some(concat!("Catchment ", env!("CARGO_PKG_VERSION")).into()),
            message: Some(message),
            kind: MESSAGE,
        };
        let encoded = dnstap.encode_to_vec();
        out.extend((encoded.len() as u32).to_be_bytes()); // two messages of 64 KiB at most
        out.extend(encoded);
    }
}

/// `SocketProtocol`.
fn protocol(transport: Transport) -> i32 {
    match transport {
        Transport::Udp => 1,
        Transport::Tcp => 2,
        Transport::Tls => 3,
    }
}

fn address(at: SocketAddr) -> Vec<u8> {
    match at.ip() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
