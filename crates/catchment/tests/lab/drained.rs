//! `catchment drain --follow`, given to a site that has connections.

use crate::moved::{said_by_tokyo, world};
use crate::program::Program;
use crate::stage::{Caller, Lab, PROGRAM, wait_until};
use std::fs;
use tempfile::TempDir;

/// Where a service of the lab sends lines that count themselves, and lets its connections go.
const STREAM: [&str; 2] = ["198.18.0.53/19", "2001:db8:53::53/19"];

/// Whoever reads them, and which line comes next.
struct Reader {
    program: Program,
    next: u64,
}

impl Reader {
    fn start(lab: &Lab<'_>, service: &str) -> Self {
        let read = format!("exec 3<>/dev/tcp/{service} && cat <&3");
        Reader { program: Program::start(lab, "tokyo", &["bash", "-c", &read]), next: 0 }
    }

    /// None is missing, and none comes twice.
    fn read(&mut self, lines: u64) {
        for _ in 0..lines {
            let line = self.program.hear();
            assert!(line.starts_with(&format!("{} ", self.next)), "line {} is {line:?}", self.next);
            self.next += 1;
        }
    }
}

/// `connections: 38 have gone to other sites, 3 are here`: both numbers.
fn counted(line: &str) -> Option<[u64; 2]> {
    let (gone, here) = line.strip_prefix("connections: ")?.split_once(" gone to other sites, ")?;
    let number = |words: &str| words.split(' ').next()?.parse().ok();
    Some([number(gone)?, number(here)?])
}

#[test]
fn a_drain_that_is_followed_says_where_connections_are_until_none_moves_any_more() {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("world.toml");
    fs::write(&place, world()).unwrap();
    let mut lab = Lab::up(&Caller::Root, "test-drained", &place, &[]);
    lab.wait_for("every client answered after");
    let flows = |site: &str| lab.exec(&format!("site-{site}"), &[PROGRAM, "flows"]);
    wait_until("the service lets its connections go, and takes others", || {
        ["london", "newyork", "tokyo"]
            .iter()
            .all(|site| flows(site).contains("connections of stream go along"))
    });
    let mut readers = STREAM.map(|service| Reader::start(&lab, service));
    readers.iter_mut().for_each(|reader| reader.read(3));
    wait_until("London knows them", || said_by_tokyo(&lab) == Some(2));

    let drain = [PROGRAM, "drain", "--follow", "--reason", "a new kernel"];
    let output = lab.lab("exec", &[&["site-tokyo", "--"], &drain[..]].concat());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let told: Vec<[u64; 2]> = said.lines().filter_map(counted).collect();
    assert!(told.windows(2).all(|two| two[0] != two[1] && two[0][0] <= two[1][0]), "{said}");
    // A machine that is busy may move one of them too late.
    let [gone, here] = *told.last().unwrap_or_else(|| panic!("{said}"));
    assert!(gone > 0 && gone + here == 2, "{said}");
    let finally =
        if here == 0 { "connections: none is left here" } else { "connections: 1 stays here until it ends" };
    assert!(said.lines().last().is_some_and(|line| line.starts_with(finally)), "{said}");

    readers.iter_mut().for_each(|reader| reader.read(5));
    assert!(
        flows("tokyo").contains(&format!("{gone} connection"))
            && flows("tokyo").contains("given to other sites")
    );
}
