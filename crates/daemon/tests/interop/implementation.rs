//! What the table needs to know of an implementation of BGP: how it is told what its session is to be, and how it is
//! asked what it sees.

use crate::host::{Addresses, Host, Program, until};
use std::collections::BTreeSet;
use std::net::IpAddr;
use terms::Family;

/// The AS of the site.
pub(crate) const SITE_ASN: u32 = 64_500;

/// Long enough for a busy machine, short enough to wait for; in seconds.
const HOLD_TIME: u16 = 9;

/// What every peer announces to the site.
pub(crate) const ORIGINATED: [&str; 3] = ["192.0.2.0/24", "2001:db8:fe::/48", "2001:db8:ff::/48"];

/// One session, as neutral words that each implementation turns into its own.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Its name, a word.
    pub(crate) name: &'static str,
    /// The family of the addresses between which it runs.
    pub(crate) over: Family,
    /// The families of the routes that it carries.
    pub(crate) families: Vec<Family>,
    /// In seconds.
    pub(crate) hold_time: u16,
    /// The key of TCP-MD5 (RFC 2385), at the peer.
    pub(crate) password: Option<&'static str>,
    /// The peer takes packets from the next host only, and sends with the largest TTL (RFC 5082).
    pub(crate) ttl_security: bool,
    /// The peer ends the session when it is told more routes than this in one family.
    pub(crate) max_prefixes: Option<u32>,
    /// The peer restarts gracefully (RFC 4724).
    pub(crate) graceful: bool,
    /// What the peer says it is to the site (RFC 9234).
    pub(crate) role: Option<Role>,
    /// The peer sends and takes paths with identifiers (RFC 7911).
    pub(crate) add_path: bool,
    /// The peer's IPv4 routes may have an IPv6 next hop (RFC 8950).
    pub(crate) extended_next_hop: bool,
    /// The peer watches the path by BFD, at 100 ms x 3.
    pub(crate) bfd: bool,
    /// More lines of the session in the site file.
    pub(crate) lines: &'static str,
}

impl Session {
    /// A plain session.
    pub(crate) fn new(name: &'static str, over: Family, families: &[Family]) -> Self {
        Session {
            name,
            over,
            families: families.to_vec(),
            hold_time: HOLD_TIME,
            password: None,
            ttl_security: false,
            max_prefixes: None,
            graceful: false,
            role: None,
            add_path: false,
            extended_next_hop: false,
            bfd: false,
            lines: "",
        }
    }
}

/// What a peer may be to the site (RFC 9234 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Provider,
    Customer,
}

/// A router, seen from the table.
#[derive(Clone, Debug)]
pub(crate) struct Neighbour {
    pub(crate) asn: u32,
    /// Its own addresses.
    pub(crate) here: Addresses,
    /// Those of the site.
    pub(crate) site: Addresses,
    pub(crate) sessions: Vec<Session>,
}

impl Neighbour {
    /// The two ends of a session: the router's own and the site's.
    pub(crate) fn ends(&self, session: &Session) -> [IpAddr; 2] {
        [self.here, self.site].map(|end| match session.over {
            Family::Ipv4 => IpAddr::from(end.ipv4),
            Family::Ipv6 => IpAddr::from(end.ipv6),
        })
    }
}

/// A route of the site as a peer has it in its table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// The nearest AS first.
    pub(crate) as_path: Vec<u32>,
    pub(crate) med: Option<u32>,
    /// Of every kind: `64500:1`, `64500:1:2`, `rt 64500:7`.
    pub(crate) communities: BTreeSet<String>,
    pub(crate) next_hop: String,
}

/// What not every implementation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Optional {
    /// Its operator can have it ask for everything again (RFC 2918).
    Refresh,
    /// Its command shows why the other side ended a session (RFC 9003).
    ShutdownText,
    /// The site is to keep its routes while it restarts (RFC 4724).
    Restarting,
    /// It drops what the site says it did not go on forwarding while it restarted (RFC 4724 section 4.2).
    Forwarding,
    /// After the site's Cease it soon calls or takes a call again.
    QuickReturn,
    /// Roles of both ends (RFC 9234).
    Roles,
    /// Beginning and end of a refresh are marked (RFC 7313).
    EnhancedRefresh,
    /// IPv4 routes with an IPv6 next hop (RFC 8950).
    ExtendedNextHop,
    /// Its command shows with which code the site ended a session.
    ErrorCode,
    /// It watches the path (RFC 5880).
    Bfd,
    /// Its operator can take BFD out of service, and it says so (RFC 5880 section 6.8.16).
    AdminDown,
}

/// An implementation of BGP. Its session is asked for by its neutral description.
pub(crate) trait Implementation: Sync {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// The Debian package that it comes from.
    fn package(&self) -> &'static str;

    /// Why this version cannot take part in a feature, in a few words; none where it can.
    fn lacks(&self, feature: Optional) -> Option<&'static str>;

    /// Writes its configuration and starts it.
    fn start(&self, host: &Host, neighbour: &Neighbour) -> Vec<Program>;

    /// Starts it as one that has been running before, where it wants to be told.
    fn start_again(&self, host: &Host, neighbour: &Neighbour) -> Vec<Program> {
        self.start(host, neighbour)
    }

    /// Whether it answers questions.
    fn is_up(&self, host: &Host) -> bool;

    /// Whether it calls the session established.
    fn is_established(&self, at: &At<'_>) -> bool;

    /// The site's route, if it has it.
    fn route(&self, at: &At<'_>, prefix: &str) -> Option<Route>;

    /// Whether it has the site's route from a session that is over, and keeps it.
    fn is_stale(&self, at: &At<'_>, prefix: &str) -> bool;

    /// How many UPDATEs it counts from the site, over all families.
    fn updates(&self, at: &At<'_>) -> u64;

    /// Everything that its own command says about the session: where it shows why the site ended it.
    fn says(&self, at: &At<'_>) -> String;

    /// Its operator asks the site to tell its routes again.
    fn refresh(&self, at: &At<'_>);

    /// How many beginnings and ends of a refresh it has heard from the site (RFC 7313).
    fn refresh_marks(&self, _at: &At<'_>) -> u64 {
        0
    }

    /// Its operator ends the session and says why.
    fn shut_down(&self, at: &At<'_>, text: &str);

    /// Its operator starts the session again.
    fn bring_back(&self, at: &At<'_>);

    /// What its own command says about the path that BFD watches.
    fn bfd_session(&self, _at: &At<'_>) -> String {
        String::new()
    }

    /// Its operator takes the BFD session out of service.
    fn shut_down_bfd(&self, _at: &At<'_>) {}
}

/// One session of one router.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) host: &'a Host,
    pub(crate) neighbour: &'a Neighbour,
    pub(crate) session: &'a Session,
}

impl At<'_> {
    /// The site's address on the session, as text.
    pub(crate) fn site(&self) -> String {
        self.neighbour.ends(self.session)[1].to_string()
    }
}

/// Starts an implementation and waits until it answers.
pub(crate) fn start(implementation: &dyn Implementation, host: &Host, neighbour: &Neighbour) -> Vec<Program> {
    let programs = implementation.start(host, neighbour);
    answers(implementation, host);
    programs
}

/// The same for one that has been running before.
pub(crate) fn start_again(
    implementation: &dyn Implementation,
    host: &Host,
    neighbour: &Neighbour,
) -> Vec<Program> {
    let programs = implementation.start_again(host, neighbour);
    answers(implementation, host);
    programs
}

fn answers(implementation: &dyn Implementation, host: &Host) {
    until(&format!("{} answers", implementation.name()), || implementation.is_up(host));
}

/// The version of a Debian package.
pub(crate) fn version(package: &str) -> String {
    let mut command = std::process::Command::new("dpkg-query");
    let output = command.args(["--show", "--showformat=${Version}", package]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The family of a prefix, as each command names it.
pub(crate) fn family(prefix: &str) -> Family {
    if prefix.contains(':') { Family::Ipv6 } else { Family::Ipv4 }
}

/// Numbers between blanks.
pub(crate) fn numbers(text: &str) -> Vec<u32> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}
