//! What a packet costs on each way through the programs, by the kernel's own watch (`BPF_PROG_TEST_RUN`), and what the
//! filters of a million flows cost. Needs root. Run it on an idle machine: `cargo bench -p xdp`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark fails by panicking")]

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../../continuity/tests/support/cases.rs"]
mod cases;
#[path = "../../continuity/tests/support/fleet.rs"]
mod fleet;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../../continuity/tests/support/frames.rs"]
mod frames;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../tests/support/kernel.rs"]
mod kernel;

use cases::Case;
use continuity::{Count, Counts, Filter, Flow, Layer, Pace};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};
use xdp::{Continuity, Program, Room};

/// Runs of a program for one figure. A packet that is changed is put in anew for each.
const RUNS: u32 = 20_000;
/// Figures, of which the median is shown.
const ROUNDS: usize = 9;

/// The ways: the name of the case over which each is measured, what it is, and what must be counted for each packet.
const WAYS: [(&str, &str, Count); 9] = [
    ("to another address", "for no service: passes", Count::Foreign),
    ("a datagram", "a datagram for the service: passes", Count::Connectionless),
    ("a SYN", "opens a connection: passes", Count::Opening),
    ("of a socket here", "of a connection of this host: passes", Count::Owned),
    ("claimed by nobody", "missed, and nobody's: dropped", Count::Unclaimed),
    ("claimed, and the budget is spent", "missed, and the budget is spent: dropped", Count::OverBudget),
    ("learned", "missed, known already: wrapped and sent on", Count::Learned),
    ("claimed over IPv4", "missed, in another site's filter: wrapped and sent on", Count::Claimed),
    ("from Paris, of a socket here", "from another site: checked, unwrapped, passes", Count::Owned),
];

fn main() {
    let text = kernel::inside(|pins| {
        let _sockets = kernel::Sockets::open();
        ways(&mut Continuity::load(pins, kernel::ROOM).unwrap())
            + "\n"
            + &million(&pins.with_file_name("million"))
    });
    print!("{}", text.expect("only root may measure"));
}

fn ways(programs: &mut Continuity) -> String {
    let cases = cases::all();
    let mut text = String::from("| a packet | IPv4, ns | IPv6, ns |\n|---|---|---|\n");
    for (name, meaning, count) in WAYS {
        let cells = fleet::FAMILIES.map(|family| {
            let name = format!("{name}, {family}");
            let case =
                cases.iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name}"));
            let mut figures: Vec<f64> = (0..ROUNDS).map(|_| cost(programs, case, count)).collect();
            figures.sort_by(f64::total_cmp);
            format!("{:.0} ({:.0} to {:.0})", figures[ROUNDS / 2], figures[0], figures[ROUNDS - 1])
        });
        text += &format!("| {meaning} | {} |\n", cells.join(" | "));
    }
    text
}

/// Nanoseconds of one run over the last frame of a case.
fn cost(programs: &mut Continuity, case: &Case, count: Count) -> f64 {
    let mut settings = case.settings.clone();
    // What is to be dropped for want of a budget has none from the beginning.
    if count != Count::OverBudget {
        settings.paces.claims = Pace { interval: Duration::from_nanos(1), burst: u32::MAX };
    }
    programs.forget().unwrap();
    programs.tell(&settings).unwrap();
    let mut fences = programs.fences().unwrap();
    case.learned.iter().for_each(|(flow, learned)| fences.learn(flow, *learned).unwrap());
    let program = match case.layer {
        Layer::Ethernet => Program::ArriveEthernet,
        Layer::Ip => Program::ArriveIp,
    };
    let frame = case.frames.last().unwrap();
    let before = programs.counts().unwrap();
    let mut spent = Duration::ZERO;
    for _ in 0..RUNS {
        // A flow that was claimed is learned by that.
        if count == Count::Claimed {
            programs.forget().unwrap();
        }
        spent += programs.trial(program, frame, 1).unwrap().duration;
    }
    let counted: Counts = kernel::counted(programs, &before);
    assert_eq!(counted.get(count), u64::from(RUNS), "{}: {counted:?}", case.name);
    spent.as_nanos() as f64 / f64::from(RUNS)
}

/// The filters of a fleet whose sites own a million flows each.
fn million(pins: &Path) -> String {
    const FLOWS: u32 = 1_000_000;
    let key = fleet::key(9);
    let service = fleet::service("IPv4");
    let flow = |number: u32| {
        Flow::new(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(0x0b00_0000 + number)), 40_000), service)
    };
    let began = Instant::now();
    let mut filter = Filter::with_room_for(FLOWS as usize);
    (0..FLOWS).for_each(|number| filter.insert(&flow(number), &key));
    let made = began.elapsed();
    assert!((0..FLOWS).all(|number| filter.contains(&flow(number), &key)), "a flow is not in its own filter");
    let strangers = (FLOWS..2 * FLOWS).filter(|&number| filter.contains(&flow(number), &key)).count();
    let octets = filter.blocks().len() * Filter::BLOCK_LEN;
    let mut programs = Continuity::load(pins, Room { flows_of_a_site: FLOWS, ..Room::default() }).unwrap();
    let mut settings = fleet::london();
    settings.sites.get_mut(&fleet::number(2)).unwrap().filter = Some(filter.into());
    let began = Instant::now();
    programs.tell(&settings).unwrap();
    let told = began.elapsed();
    format!(
        "| 1,000,000 flows of a site | measured |\n|---|---|\n\
         | its filter | {:.2} MB, {:.1} bits a flow |\n\
         | of flows that are not in it, it claims | {:.2} % |\n\
         | made from the list of connections in | {:.0} ms |\n\
         | told to the programs in | {:.1} ms |\n\
         | the kernel's table, with room for the filters of {} such sites | {:.0} MB |\n",
        octets as f64 / 1e6,
        octets as f64 * 8.0 / f64::from(FLOWS),
        strangers as f64 * 100.0 / f64::from(FLOWS),
        made.as_secs_f64() * 1e3,
        told.as_secs_f64() * 1e3,
        continuity::SiteNumber::COUNT,
        largest_table() as f64 / 1e6,
    )
}

/// Octets of the largest table that this process has open, as the kernel counts them.
fn largest_table() -> u64 {
    let open = std::fs::read_dir("/proc/self/fdinfo").unwrap();
    let memory =
        |text: String| text.lines().find_map(|line| line.strip_prefix("memlock:")?.trim().parse().ok());
    open.filter_map(|entry| memory(std::fs::read_to_string(entry.ok()?.path()).ok()?)).max().unwrap_or(0)
}
