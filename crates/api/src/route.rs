//! Where each document is found, on the control socket and, where not said otherwise, on the read-only listener alike.

use std::net::SocketAddr;
use terms::Prefix;

/// [`crate::Status`] of the daemon.
pub const STATUS: &str = "/status";
/// [`crate::EventList`]: the latest events that the daemon or the lab still holds.
pub const EVENTS: &str = "/events";
/// The same events and then every new one, one [`crate::EventRow`] a line (`application/x-ndjson`).
pub const FOLLOW: &str = "/events/follow";
/// [`crate::Explanation`] of `?prefix=`.
pub const EXPLAIN: &str = "/explain";
/// [`crate::FlowExplanation`] of `?client=` and, if that is known, `&service=`.
pub const EXPLAIN_FLOW: &str = "/explain/flow";
/// [`crate::FleetStatus`] of the daemon. Takes a [`crate::FleetOrder`] by POST, on the control socket only; answers
/// [`crate::Done`] or [`crate::Refusal`].
pub const FLEET: &str = "/fleet";
/// [`crate::Flows`]: the connections that have moved.
pub const FLOWS: &str = "/flows";
/// Metrics in the Prometheus text format.
pub const METRICS: &str = "/metrics";
/// [`crate::NodeList`] of the lab.
pub const NODES: &str = "/nodes";
/// [`crate::Picture`] as it is now.
pub const PICTURE: &str = "/picture";
/// [`crate::Live`] messages as server-sent events.
pub const LIVE: &str = "/live";
/// Takes a [`crate::Command`] by POST, answers [`crate::Done`] or [`crate::Refusal`].
pub const COMMAND: &str = "/command";
/// Takes an [`crate::Order`] by POST, on the control socket only; answers [`crate::Ordered`] or [`crate::Refusal`].
pub const ORDERS: &str = "/orders";
/// Takes a [`crate::BlackholeOrder`] by POST, on the control socket only; answers [`crate::BlackholeAnswer`] or
/// [`crate::Refusal`].
pub const BLACKHOLES: &str = "/blackholes";
/// Takes a [`crate::ReloadOrder`] by POST, answers [`crate::ReloadAnswer`]. On the control socket only.
pub const RELOAD: &str = "/reload";
/// Confirms the reload that waits for it; takes an empty object by POST, answers [`crate::ReloadAnswer`]. On the
/// control socket only.
pub const RELOAD_CONFIRM: &str = "/reload/confirm";
/// Has the program on disk take over; takes an empty object by POST, answers [`crate::RestartAnswer`]. On the control
/// socket only.
pub const RESTART: &str = "/restart";
/// Answers `ok` as long as the process serves.
pub const HEALTH: &str = "/healthz";

/// Where the explanation of one prefix is found. Every character of a prefix may stand in a query as it is
/// (RFC 3986 section 3.4).
pub fn explain(prefix: Prefix) -> String {
    format!("{EXPLAIN}?prefix={prefix}")
}

/// Where the explanation of a client's connections is found, or of the one to an end of a service.
pub fn explain_flow(client: SocketAddr, service: Option<SocketAddr>) -> String {
    // The brackets of IPv6 may not stand in a query (RFC 3986 section 3.4).
    let end = |end: SocketAddr| end.to_string().replace('[', "%5B").replace(']', "%5D");
    let service = service.map_or_else(String::new, |service| format!("&service={}", end(service)));
    format!("{EXPLAIN_FLOW}?client={}{service}", end(client))
}
