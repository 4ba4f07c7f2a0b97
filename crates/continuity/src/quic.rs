//! QUIC connections that survive a change of route, with nothing remembered and nothing exchanged: the site that has
//! accepted a connection is named by the connection ids that it gives to its client, sealed with a key of the fleet.
//!
//! ```text
//!   datagram ──► [`destination`]: whose id does it bring? ──► [`Keys::site_of`] ──┬──► this site, or another one
//!                                                                                └──► [`Unroutable`]: the site where it is
//! ```
//! A client chooses the first id itself (RFC 9000 section 7.2): that one is unroutable, and the site that it comes to accepts
//! the connection. Every id after that is the server's. A client may change its address, and routing its way, and every
//! packet says where it belongs.
//!
//! The layout is that of QUIC-LB (draft-ietf-quic-load-balancers-21) with server ids of four octets and nonces of twelve, so
//! that other servers and load balancers can be set up to make and to read the same ids:
//!
//! ```text
//!     0 1 2 3 4 5 6 7
//!    +-----+---------+-----------------------+-----------------------+
//!    | Key | 16      | 0, 0, 0, site number  | nonce, 12 octets      |
//!    +-----+---------+-----------------------+-----------------------+
//!     1 octet         '------- one block of AES-128, sealed ---------'
//! ```
//! The first octet and the three zeros tell ids of the fleet from any others: of 17 octets that a client has chosen, one of
//! two billion seems to name a site. Nobody without the key sees which ids name the same site, and so which connections
//! are one client's.

mod connection_id;
mod datagram;
mod keys;

pub use connection_id::{ConnectionId, Nonce};
pub use datagram::{Destination, destination};
pub use keys::{Keys, Rotation, RotationError, Unroutable};
