//! Configuration of BIRD 2 for every router of the plan, as text.
//!
//! Policy is that of Gao and Rexford: a route from a customer is preferred to one from a peer, that to one from a
//! provider; peers and providers are told of customers only, customers of everything. The preference is written into
//! LOCAL_PREF, so it can be read in any router and tells where in the network a route came from. As many providers do,
//! every network lets its neighbours ask for less: `its own number:80` makes a route the least preferred of all, and
//! graceful shutdown (RFC 8326) the last resort. What a customer has them drop (RFC 7999), every router of the network drops.

use crate::igp::IgpRoute;
use crate::plan::{Node, NodeId, Pair, Plan, Port, Purpose, Role};
use crate::world::{BFD_MULTIPLIER, RelationKind, RouterRef, World};
use std::fmt::{self, Display, Formatter};
use std::path::Path;
use terms::Asn;

/// The file, beside the configuration, that has the routes inside the network. It changes when a cable breaks.
pub const IGP_FILE: &str = "igp.conf";

/// What the far end of a session is to this network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Neighbour {
    Customer,
    Peer,
    Provider,
}

impl Neighbour {
    fn word(self) -> &'static str {
        match self {
            Neighbour::Customer => "customer",
            Neighbour::Peer => "peer",
            Neighbour::Provider => "provider",
        }
    }
}

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

/// What every router has in common.
const POLICY: &str = "\
# A route that is about to go is the last resort (RFC 8326 section 4.2); one with our community is less than all others.
function weigh(int level) {
  bgp_local_pref = level;
  if (OWN, 80) ~ bgp_community then bgp_local_pref = 80;
  if (65535, 0) ~ bgp_community then bgp_local_pref = 0;
}
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

template bgp session {
  hold time 9;
  keepalive time 3;
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 2;
}
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
        f.write_str(POLICY)?;
        self.kernel(f)?;
        self.originated(f)?;
        writeln!(f, "include \"{}\";", self.file(IGP_FILE))?;
        self.inside(f, id, node)?;
        self.watch_links(f)?;
        for (cable, here, there) in self.plan.ports(id) {
            match self.plan.cables[cable.0].purpose {
                Purpose::Border => self.border(f, node.asn, here, there)?,
                Purpose::SiteLan => {
                    let customer = Neighbour::Customer;
                    self.session(f, node.asn, here, there, self.world.host_asn, customer)?;
                    if self.world.operation.bfd.is_some() {
                        writeln!(f, "  bfd on;")?;
                    }
                    f.write_str("}\n")?;
                }
                Purpose::Backbone | Purpose::Access | Purpose::Management => {}
            }
        }
        Ok(())
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
    fn kernel(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, channel) in [(4, "ipv4"), (6, "ipv6")] {
            writeln!(
                f,
                "\nprotocol kernel kernel{number} {{\n  scan time 60;\n  {channel} {{ import none; export where proto != \"own{number}\"; }};\n}}"
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

    /// A full mesh: every router of the network is told what this one hears from outside.
    fn inside(&self, f: &mut Formatter<'_>, id: NodeId, node: &Node) -> fmt::Result {
        if self.world.networks[self.router.network].islands {
            return Ok(());
        }
        for (other, far) in self.plan.nodes.iter().enumerate().filter(|&(other, _)| other != id.0) {
            let Role::Router(router) = far.role else { continue };
            if router.network != self.router.network {
                continue;
            }
            let name = protocol_name(self.plan.nodes[other].name.as_str());
            let (own, own6, theirs, asn) = (node.address.v4, node.address.v6, far.address.v4, node.asn);
            writeln!(f, "\nprotocol bgp {name} from session {{")?;
            writeln!(f, "  local {own} as {asn};\n  neighbor {theirs} as {asn};")?;
            writeln!(
                f,
                "  ipv4 {{ next hop self; import filter from_inside; export where source = RTS_BGP; }};"
            )?;
            writeln!(
                f,
                "  ipv6 {{ next hop self; next hop address {own6}; import filter from_inside; export where source = RTS_BGP; }};\n}}"
            )?;
        }
        Ok(())
    }

    fn border(&self, f: &mut Formatter<'_>, asn: Asn, here: &Port, there: &Port) -> fmt::Result {
        let far = self.plan.node(there.node);
        self.session(f, asn, here, there, far.asn, self.neighbour(here, there))?;
        f.write_str("}\n")
    }

    /// What the network at the other end is to this one.
    fn neighbour(&self, here: &Port, there: &Port) -> Neighbour {
        let session = self.plan.sessions.iter().find(|session| {
            let [left, right] = &self.plan.cables[session.cable.0].ends;
            let ends = [left.address, right.address];
            ends == [here.address, there.address] || ends == [there.address, here.address]
        });
        let Some(session) = session else { return Neighbour::Peer };
        let we_are_left = self.plan.cables[session.cable.0].ends[0].address == here.address;
        match (session.kind, we_are_left) {
            (RelationKind::Peering, _) => Neighbour::Peer,
            (RelationKind::Transit, true) => Neighbour::Provider,
            (RelationKind::Transit, false) => Neighbour::Customer,
        }
    }

    /// A session, but for what closes it.
    fn session(
        &self,
        f: &mut Formatter<'_>,
        asn: Asn,
        here: &Port,
        there: &Port,
        far_asn: Asn,
        neighbour: Neighbour,
    ) -> fmt::Result {
        let name = protocol_name(&self.plan.node(there.node).name);
        let (own, own6, theirs, word) =
            (here.address.v4, here.address.v6, there.address.v4, neighbour.word());
        writeln!(f, "\nprotocol bgp {name} from session {{")?;
        writeln!(f, "  local {own} as {asn};\n  neighbor {theirs} as {far_asn};")?;
        writeln!(f, "  ipv4 {{ import filter from_{word}; export filter to_{word}; }};")?;
        writeln!(
            f,
            "  ipv6 {{ next hop address {own6}; import filter from_{word}; export filter to_{word}; }};"
        )
    }
}

/// A node's name as a word of BIRD's language; the prefix keeps it apart from the language's own words.
fn protocol_name(node: &str) -> String {
    format!("to_{}", node.replace('-', "_"))
}
