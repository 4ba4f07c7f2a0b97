//! What `[[bmp]]` says about a collector; each mistake with its line and hint.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use config::{Collector, parse};
use document::Faults;
use std::path::Path;
use std::time::Duration;

fn with(sections: &str) -> Result<Vec<Collector>, Faults> {
    let text = format!("{sections}\n{}", include_str!("good.toml"));
    parse("site.toml", &text, Path::new("/etc/catchment")).map(|site_file| site_file.collectors)
}

#[test]
fn every_key_of_a_collector_is_read() {
    let all = "[[bmp]]\nname = \"a\"\naddress = \"192.0.2.9\"\nport = 1790\nsource = \"192.0.2.1\"\n\
               statistics = \"10s\"\nreceived = true\nmax_memory = \"2MiB\"\n\
               [[bmp]]\nname = \"b\"\naddress = \"2001:db8::9\"\nport = 11019\nstatistics = \"0s\"\n";
    let collectors = with(all).unwrap_or_else(|faults| panic!("{faults}"));
    let expected = [
        Collector {
            name: "a".parse().unwrap(),
            address: "192.0.2.9:1790".parse().unwrap(),
            source: Some("192.0.2.1".parse().unwrap()),
            statistics: Some(Duration::from_secs(10)),
            received: true,
            max_memory: 2 << 20,
        },
        Collector {
            name: "b".parse().unwrap(),
            address: "[2001:db8::9]:11019".parse().unwrap(),
            source: None,
            statistics: None,
            received: false,
            max_memory: 64 << 20,
        },
    ];
    assert_eq!(collectors, expected);
    assert_eq!(with("").unwrap(), []);
}

#[test]
fn each_mistake_is_told_with_its_line_and_a_hint() {
    let wrong = "[[bmp]]\naddress = \"192.0.2.9\"\n\
                 [[bmp]]\nname = \"a\"\naddress = \"fe80::1\"\nport = 0\nstatistics = \"1ms\"\n\
                 [[bmp]]\nname = \"a\"\naddress = \"192.0.2.9\"\nport = 1790\nsource = \"2001:db8::1\"\n\
                 max_memory = \"7\"\nrecieved = true\n";
    insta::assert_snapshot!(with(wrong).unwrap_err());
}
