//! Configuration of BIRD 2 for every router of the plan, as text.
//!
//! Policy is that of [`policy`](crate::policy). What a customer has a network drop (RFC 7999), every router of the
//! network drops.

use crate::igp::IgpRoute;
use crate::plan::{NodeId, Pair, Plan, Purpose};
use crate::policy::{SHIFTED, Session, SessionKind, sessions};
use crate::world::{BFD_MULTIPLIER, RouterRef, World};
use std::fmt::{self, Display, Formatter, Write as _};
use std::path::Path;

/// The file, beside the configuration, that has the routes inside the network. It changes when a cable breaks.
pub const IGP_FILE: &str = "igp.conf";

/// The file, beside the configuration, that names the neighbour whose routes are the last resort for now.
pub const SHIFT_FILE: &str = "shift.conf";

/// So many keepalives make a hold time (RFC 4271 section 10).
pub(crate) const KEEPALIVES: u16 = 3;

/// The main file of one router. `directory` is where its other files are.
pub fn configuration(world: &World, plan: &Plan, router: RouterRef, directory: &Path) -> String {
    Configuration { world, plan, router, directory }.to_string()
}

/// The file of routes inside the network.
pub fn igp(routes: &[IgpRoute]) -> String {
    let table = |name: &str, channel: &str, length: u8, pick: fn(&Pair) -> String| {
        let rows = routes.iter().map(|route| {
            let (to, via, metric) = (pick(&route.destination), pick(&route.via), route.metric);
            format!("  route {to}/{length} via {via} {{ igp_metric = {metric}; }};\n")
        });
        format!("protocol static {name} {{\n  {channel};\n{}}}\n", rows.collect::<String>())
    };
    let v4 = table("igp4", "ipv4", 32, |pair| pair.v4.to_string());
    let v6 = table("igp6", "ipv6", 128, |pair| pair.v6.to_string());
    v4 + &v6
}

/// The file that names the neighbour whose routes are the last resort for now, if one is.
pub fn shift(neighbour: Option<&str>) -> String {
    format!("define SHIFTED = \"{}\";\n", neighbour.map(protocol_name).unwrap_or_default())
}

/// The configuration of the route server of an exchange (RFC 7947): it adds no number of its own, and next hops are those
/// of the members, who call it and reach each other on its LAN. A member whose own route is the best is told of the second best.
pub fn route_server(world: &World, plan: &Plan, exchange: NodeId, directory: &Path) -> String {
    let node = plan.node(exchange);
    let mut text = format!(
        "# route server of {} in {}\nrouter id {};\nlog \"{}\" {{ info, warning, error, fatal, bug }};\n\
         ipv4 table master4 sorted;\nipv6 table master6 sorted;\nprotocol device {{ scan time 60; }}\n{}",
        node.name,
        node.city,
        node.address.v4,
        directory.join("bird.log").display(),
        session_template(world.hold_time)
    );
    for (_, here, there) in plan.ports(exchange) {
        let member = plan.node(there.node);
        let (name, own, asn) = (protocol_name(&member.name), here.address, node.asn);
        let channel = "import all; export all; secondary; next hop keep";
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "\nprotocol bgp {name} from session {{\n  local {} as {asn};\n  neighbor {} as {};\n  passive yes;\n  rs client;\n  \
             ipv4 {{ {channel}; }};\n  ipv6 {{ {channel}; }};\n}}",
            own.v4, there.address.v4, member.asn
        );
    }
    text
}

/// What every session has in common.
fn session_template(hold_time: u16) -> String {
    format!(
        "\
template bgp session {{
  hold time {hold_time};
  keepalive time {};
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 2;
}}
",
        hold_time / KEEPALIVES
    )
}

/// What a route is worth. A community of two octets cannot name a network of four.
fn weigh(asn: terms::Asn) -> String {
    let own = match asn.fits_two_octets() {
        true => "  if (OWN, 80) ~ bgp_community then bgp_local_pref = 80;\n",
        false => "",
    };
    format!(
        "\
# A route that is about to go is the last resort (RFC 8326 section 4.2); one with our community is less than all others.
function weigh(int level) {{
  bgp_local_pref = level;
{own}  if proto = SHIFTED then bgp_local_pref = {SHIFTED};
  if (65535, 0) ~ bgp_community then bgp_local_pref = 0;
}}
"
    )
}

/// What every router has in common.
const POLICY: &str = "\
# A customer may have us drop what is sent to a single address of its own (RFC 7999); the route stays in our network.
function drop_on_request() {
  if (65535, 666) ~ bgp_community then {
    if net.len < 32 || (net.type = NET_IP6 && net.len < 128) then reject;
    dest = RTD_BLACKHOLE;
    bgp_community.add((65535, 65281));
  }
}
filter from_customer { drop_on_request(); weigh(300); accept; }
filter from_inside { drop_on_request(); accept; }
filter from_peer { weigh(200); accept; }
filter from_provider { weigh(100); accept; }
filter own { bgp_local_pref = 400; accept; }

# Routes inside the network have no preference: nobody outside is told of them.
filter to_customer { if defined(bgp_local_pref) then accept; reject; }
filter to_peer { if defined(bgp_local_pref) && bgp_local_pref >= 300 then accept; reject; }
filter to_provider { if defined(bgp_local_pref) && bgp_local_pref >= 300 then accept; reject; }

";

struct Configuration<'a> {
    world: &'a World,
    plan: &'a Plan,
    router: RouterRef,
    directory: &'a Path,
}

impl Display for Configuration<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(id) = self.plan.router(self.router) else { return Ok(()) };
        let node = self.plan.node(id);
        writeln!(f, "# {} in {}, AS {}", node.name, node.city, node.asn)?;
        writeln!(f, "router id {};", node.address.v4)?;
        writeln!(f, "log \"{}\" {{ info, warning, error, fatal, bug }};", self.file("bird.log"))?;
        writeln!(f, "protocol device {{ scan time 60; }}\n")?;
        writeln!(f, "define OWN = {};", node.asn)?;
        writeln!(f, "include \"{}\";", self.file(SHIFT_FILE))?;
        f.write_str(&weigh(node.asn))?;
        f.write_str(POLICY)?;
        f.write_str(&session_template(self.world.hold_time))?;
        self.kernel(f, id)?;
        self.originated(f)?;
        writeln!(f, "include \"{}\";", self.file(IGP_FILE))?;
        let sessions = sessions(self.world, self.plan, id);
        let inside = |session: &&Session<'_>| session.kind == SessionKind::Inside;
        sessions.iter().filter(inside).try_for_each(|session| self.session(f, session))?;
        self.watch_links(f)?;
        sessions.iter().filter(|session| !inside(session)).try_for_each(|session| self.session(f, session))
    }
}

impl Configuration<'_> {
    fn file(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    /// BFD, for the sessions with sites that ask for it.
    fn watch_links(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(interval) = self.world.operation.bfd else { return Ok(()) };
        let interval = interval.as_micros();
        writeln!(
            f,
            "\nprotocol bfd links {{\n  interface \"*\" {{ interval {interval} us; multiplier {BFD_MULTIPLIER}; }};\n}}"
        )
    }

    /// The kernel gets everything but the network's own block, which would swallow what is directly connected.
    /// Where a site has several hosts, packets are spread over them.
    fn kernel(&self, f: &mut Formatter<'_>, id: NodeId) -> fmt::Result {
        let of_site = |cable: usize| self.plan.cables[cable].purpose == Purpose::SiteLan;
        let hosts = self.plan.ports(id).filter(|(cable, ..)| of_site(cable.0)).count();
        let spread = if hosts > 1 { "  merge paths on;\n" } else { "" };
        for (number, channel) in [(4, "ipv4"), (6, "ipv6")] {
            writeln!(
                f,
                "\nprotocol kernel kernel{number} {{\n  scan time 60;\n{spread}  {channel} {{ import none; export where proto != \"own{number}\"; }};\n}}"
            )?;
        }
        Ok(())
    }

    fn originated(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for ((number, channel), block) in
            [(4, "ipv4"), (6, "ipv6")].into_iter().zip(self.plan.originated(self.world, self.router))
        {
            writeln!(
                f,
                "\nprotocol static own{number} {{\n  {channel} {{ import filter own; }};\n  route {block} unreachable;\n}}"
            )?;
        }
        Ok(())
    }

    fn session(&self, f: &mut Formatter<'_>, session: &Session<'_>) -> fmt::Result {
        let Some(id) = self.plan.router(self.router) else { return Ok(()) };
        let (name, asn, far_asn) = (protocol_name(&session.far.name), self.plan.node(id).asn, session.asn);
        let (own, own6, theirs) = (session.own.v4, session.own.v6, session.theirs.v4);
        writeln!(f, "\nprotocol bgp {name} from session {{")?;
        writeln!(f, "  local {own} as {asn};\n  neighbor {theirs} as {far_asn};")?;
        if session.waits {
            writeln!(f, "  passive yes;")?;
        }
        let (v4, v6) = match session.kind.neighbour() {
            None => {
                let all = "import filter from_inside; export where source = RTS_BGP;";
                (format!("next hop self; {all}"), format!("next hop self; next hop address {own6}; {all}"))
            }
            Some(neighbour) => {
                let word = neighbour.word();
                let filters = format!("import filter from_{word}; export filter to_{word};");
                (filters.clone(), format!("next hop address {own6}; {filters}"))
            }
        };
        writeln!(f, "  ipv4 {{ {v4} }};\n  ipv6 {{ {v6} }};")?;
        let is_edge = self.world.sites.iter().any(|site| site.router == self.router);
        if session.kind != SessionKind::Inside && is_edge && self.world.operation.continuity {
            // Sites that are islands have one number, and have to reach each other.
            writeln!(f, "  allow local as 1;")?;
        }
        if session.kind == SessionKind::Host && self.world.operation.bfd.is_some() {
            writeln!(f, "  bfd on;")?;
        }
        f.write_str("}\n")
    }
}

/// A node's name as a word of BIRD's language; the prefix keeps it apart from the language's own words.
pub(crate) fn protocol_name(node: &str) -> String {
    format!("to_{}", node.replace('-', "_"))
}
