//! What `[continuity]` says; each mistake with its line and hint.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use config::{Continuity, parse};
use document::Faults;
use std::path::{Path, PathBuf};

const FLEET: &str = "[fleet]\netcd = [\"http://10.0.0.1:2379\"]\n";

fn with(sections: &str) -> Result<Option<Continuity>, Faults> {
    let text = format!("{sections}\n{}", include_str!("good.toml"));
    parse("site.toml", &text, Path::new("/etc/catchment")).map(|site_file| site_file.continuity)
}

#[test]
fn every_key_is_read_and_most_may_be_left_out() {
    assert_eq!(with("").unwrap(), None);
    let least = "[continuity]\nnumber = 63\ninterfaces = [\"eth0\"]\naddresses = [\"2001:db8:1::3\"]\n";
    let least = with(&format!("{least}{FLEET}")).unwrap_or_else(|faults| panic!("{faults}")).unwrap();
    let all = "[continuity]\nnumber = 0\ninterfaces = [\"eth0\", \"eth1\"]\naddresses = [\"2001:db8:1::3\", \"192.0.2.3\"]\n\
               port = 4711\nmtu = 1400\nbudget = 5\nconnections = 1000\npins = \"/run/bpf\"\n\
               services = { socket = \"run/s.sock\", users = [\"chat\", \"1000\"] }\n";
    let all = with(&format!("{all}{FLEET}")).unwrap_or_else(|faults| panic!("{faults}")).unwrap();
    assert_eq!(
        (
            least.number.get(),
            least.source4,
            least.port.get(),
            least.mtu,
            least.budget.get(),
            least.connections
        ),
        (63, None, 9057, 1500, 1000, 100_000)
    );
    assert_eq!(
        (least.pins, least.source6),
        (PathBuf::from("/sys/fs/bpf/catchment"), Some("2001:db8:1::3".parse().unwrap()))
    );
    assert_eq!(
        (all.number.get(), all.source4, all.port.get(), all.mtu, all.budget.get(), all.connections),
        (0, Some("192.0.2.3".parse().unwrap()), 4711, 1400, 5, 1000)
    );
    assert_eq!((all.interfaces.len(), all.pins), (2, PathBuf::from("/run/bpf")));
    assert_eq!(least.services, None, "nobody joins where nothing is said");
    let services = all.services.unwrap();
    assert_eq!(services.socket, Path::new("/etc/catchment/run/s.sock"));
    assert_eq!(services.users, ["1000", "chat"].map(str::to_owned).into());
}

#[test]
fn each_mistake_is_told_with_its_line_and_a_hint() {
    let alone =
        with("[continuity]\nnumber = 64\ninterfaces = []\naddresses = [\"127.0.0.1\"]\n").unwrap_err();
    let wrong = format!(
        "[continuity]\nnumber = 1\ninterfaces = [\"eth0\", \"eth0\"]\naddresses = [\"192.0.2.3\", \"192.0.2.4\", \"fe80::1\"]\n\
         port = 0\nmtu = 1335\nbudget = 0\nconnections = 999\npins = \"bpf\"\nadress = 1\n{FLEET}"
    );
    let wrong = with(&wrong).unwrap_err();
    // The address of the service in `good.toml`.
    let anycast = "[continuity]\nnumber = 1\ninterfaces = [\"eth0\"]\naddresses = [\"198.18.0.53\"]\n";
    let anycast = with(&format!("{anycast}{FLEET}")).unwrap_err();
    let long = "a".repeat(120);
    let services = format!(
        "[continuity]\nnumber = 1\ninterfaces = [\"eth0\"]\naddresses = [\"192.0.2.3\"]\n\
         services = {{ socket = \"/run/{long}\", users = [\"\", \"a b\", 7], adresses = [] }}\n{FLEET}"
    );
    let services = with(&services).unwrap_err();
    insta::assert_snapshot!(format!("{alone}\n{wrong}\n{anycast}\n{services}"));
}
