//! What a cable adds to its delay, and how much TCP goes through it.
//!
//! `cargo bench -p lab --bench cable`, as root, on an idle machine: TUN devices and virtual Ethernet in turns, the latter
//! also without root, where no thread runs in real time, and both on a single processor: what is less there is the waking
//! of a processor that sleeps. Without iperf3 there is no throughput. Prints rows of a table.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use lab::cable::{Carriage, Carrying, Fibre, carry};
use lab::clock;
use lab::history::LatenessLog;
use lab::plan::CableId;
use linux::link::{self, End, LinkIndex};
use linux::panel::Panel;
use linux::process::{Namespaces, start_in};
use linux::{Namespace, address, user_namespace};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Packets for each row.
const PACKETS: usize = 1000;
/// Between two packets: no multiple of a tick of the kernel's clock.
const PAUSE: Duration = Duration::from_micros(3_700);
const DELAYS_MS: [u64; 3] = [1, 10, 100];
/// Turns of throughput.
const TURNS: usize = 3;
/// Asks for a process without root's privileges.
const ROOTLESS: &str = "--rootless";
/// Asks for a process that keeps to one processor.
const ONE_PROCESSOR: &str = "--one-processor";
const ADDRESSES: [&str; 2] = ["10.0.0.0", "10.0.0.1"];

#[derive(Clone, Copy)]
enum Kind {
    Tun,
    Veth,
    /// A virtual Ethernet from node to node: nobody delays anything.
    Plain,
}

/// Two nodes and what is between them.
struct World {
    nodes: [Namespace; 2],
    carrying: Option<Carrying>,
}

impl World {
    fn new(kind: Kind, delay: Duration) -> Self {
        let nodes = [Namespace::new().unwrap(), Namespace::new().unwrap()];
        let panel = match kind {
            Kind::Tun => Some(Panel::Tun),
            Kind::Veth => Some(Panel::veth().unwrap()),
            Kind::Plain => None,
        };
        let ends = panel.map(|panel| {
            [0, 1].map(|end| nodes[end].run(|| panel.plug(&nodes[end], "cable").unwrap()).unwrap())
        });
        if ends.is_none() {
            let [here, there] = nodes.each_ref().map(|namespace| End { namespace, name: "cable" });
            link::create_veth(&mut nodes[0].netlink().unwrap(), here, there).unwrap();
        }
        for (node, own) in nodes.iter().zip(ADDRESSES) {
            let mut netlink = node.netlink().unwrap();
            let cable = link::index(&mut netlink, "cable").unwrap();
            address::add(&mut netlink, cable, format!("{own}/31").parse().unwrap()).unwrap();
            link::set_up(&mut netlink, LinkIndex::LOOPBACK).unwrap();
            link::set_up(&mut netlink, cable).unwrap();
        }
        let carrying = ends.map(|ends| {
            let fibre = Fibre::new(CableId(0), ends, Carriage { delay, loss: 0.0, rate: None });
            carry(vec![Arc::new(fibre)], Arc::new(LatenessLog::keeping(1))).unwrap()
        });
        World { nodes, carrying }
    }

    fn end(self) {
        if let Some(carrying) = self.carrying {
            carrying.stop();
        }
    }

    /// From the call that sends until the call that receives has come back, less the delay: in ms, in order.
    fn errors(&self, delay: Duration) -> Vec<f64> {
        let [sender, receiver] =
            [0, 1].map(|end| self.nodes[end].run(|| UdpSocket::bind((ADDRESSES[end], 9)).unwrap()).unwrap());
        sender.connect((ADDRESSES[1], 9)).unwrap();
        let mut errors: Vec<f64> = thread::scope(|scope| {
            let late = scope.spawn(move || {
                let hear = |_| {
                    let mut sent = [0; 8];
                    receiver.recv(&mut sent).unwrap();
                    let sent = terms::Timestamp::from_nanos(u64::from_be_bytes(sent));
                    (clock::now().since(sent).as_secs_f64() - delay.as_secs_f64()) * 1e3
                };
                (0..PACKETS).map(hear).collect()
            });
            for _ in 0..PACKETS {
                sender.send(&clock::now().as_nanos().to_be_bytes()).unwrap();
                thread::sleep(PAUSE);
            }
            late.join().unwrap()
        });
        errors.sort_by(f64::total_cmp);
        errors
    }

    /// TCP for two seconds, Gbit/s; none without iperf3.
    fn throughput(&self) -> Option<f64> {
        let iperf = |node: usize, arguments: &[&str]| {
            let mut command = Command::new("iperf3");
            command.args(arguments).stderr(Stdio::null()).stdout(Stdio::piped());
            start_in(&mut command, Namespaces::new([self.nodes[node].as_fd().try_clone_to_owned().unwrap()]));
            command.spawn().ok()
        };
        let server = iperf(1, &["--server", "--one-off", "--bind", ADDRESSES[1]])?;
        let answer = (0..100).find_map(|_| {
            thread::sleep(Duration::from_millis(20));
            let client = iperf(0, &["--client", ADDRESSES[1], "--time", "2", "--json"])?;
            let output = client.wait_with_output().unwrap();
            output.status.success().then_some(output.stdout)
        });
        server.wait_with_output().unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer?).unwrap();
        Some(answer["end"]["sum_received"]["bits_per_second"].as_f64()? / 1e9)
    }
}

fn errors(who: &str, kind: Kind) {
    for ms in DELAYS_MS {
        let delay = Duration::from_millis(ms);
        let world = World::new(kind, delay);
        let errors = world.errors(delay);
        let at = |share: usize| errors[(errors.len() - 1) * share / 100];
        println!("| {who} | {ms} ms | {:.3} | {:.3} |", at(50), at(99));
        world.end();
    }
}

fn throughput() {
    let kinds = [
        ("plain virtual Ethernet", Kind::Plain),
        ("cable, TUN", Kind::Tun),
        ("cable, virtual Ethernet", Kind::Veth),
    ];
    let mut found = kinds.map(|_| Vec::new());
    for _ in 0..TURNS {
        for (figures, (_, kind)) in found.iter_mut().zip(kinds) {
            let world = World::new(kind, Duration::from_micros(50));
            figures.extend(world.throughput());
            world.end();
        }
    }
    println!("\n| TCP, 0.05 ms | Gbit/s |\n|---|---|");
    for (mut figures, (name, _)) in found.into_iter().zip(kinds) {
        figures.sort_by(f64::total_cmp);
        match figures[..] {
            [least, .., most] => {
                println!("| {name} | {:.3} ({least:.3} to {most:.3}) |", figures[figures.len() / 2])
            }
            _ => println!("| {name} | no iperf3 here |"),
        }
    }
}

fn main() {
    match std::env::args().find(|argument| argument == ROOTLESS || argument == ONE_PROCESSOR).as_deref() {
        Some(ROOTLESS) => {
            user_namespace::enter_new().unwrap();
            errors("virtual Ethernet, no root", Kind::Veth);
        }
        Some(_) => {
            let mut processors = CpuSet::new();
            processors.set(0);
            sched_setaffinity(None, &processors).unwrap();
            errors("TUN, one processor", Kind::Tun);
            errors("virtual Ethernet, one processor", Kind::Veth);
        }
        None => {
            println!("| cable | delay | late, p50, ms | late, p99, ms |\n|---|---|---|---|");
            errors("TUN", Kind::Tun);
            errors("virtual Ethernet", Kind::Veth);
            again(ONE_PROCESSOR);
            again(ROOTLESS);
            throughput();
        }
    }
}

/// This program as another process, told of it by an argument.
fn again(argument: &str) {
    let status = Command::new(std::env::current_exe().unwrap()).arg(argument).status().unwrap();
    assert!(status.success());
}
