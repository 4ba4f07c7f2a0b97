//! A zone and a few questions by hand: no socket, no thread.

use dns::{Arrival, Identity, Outcome, Secret, Secrets, Server, Transport, Zones, answer, zone};
use std::sync::Arc;
use terms::{DomainName, RecordType, Timestamp, WallTime};

const ZONE: &str = "\
$ORIGIN example.
$TTL 1h
@    SOA ns1 hostmaster 1 1h 15m 1w 5m
     NS  ns1
ns1  A   192.0.2.53
www  AAAA 2001:db8::80
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let zone =
        zone::parse(ZONE).map_err(|faults| faults.iter().map(|f| format!("{f}\n")).collect::<String>())?;
    println!("{} serial {}: {} names", zone.apex(), zone.serial(), zone.names());
    let zones = Zones::new(vec![Arc::new(zone)])?;
    let identity = Identity::new(&"london".parse()?, Some(&"lon-1".parse()?));
    let secrets = Secrets::new(Secret(*b"sixteen octets!!"));
    let server = Server { zones: &zones, identity: &identity, secrets: &secrets };

    let mut out = [0; 512];
    for (name, kind) in [
        ("WWW.example.", RecordType::AAAA),
        ("www.example.", RecordType::A),
        ("nobody.example.", RecordType::A),
        ("example.com.", RecordType::A),
    ] {
        let query = query(&name.parse()?, kind);
        let (client, now, wall) = ("192.0.2.7".parse()?, Timestamp::ZERO, WallTime(1_800_000_000_000));
        let arrival = Arrival {
            message: &query,
            client,
            transport: Transport::Udp,
            patience: None,
            reserved: 0,
            now,
            wall,
        };
        match answer(&server, None, &arrival, &mut out) {
            Outcome::Reply { length, code, .. } => println!("{name} {kind}: {code}, {length} octets"),
            Outcome::Silence(why) => println!("{name} {kind}: no reply, {why:?}"),
            Outcome::Aside => println!("{name} {kind}: for whoever knows of transfers"),
        }
    }
    println!("a zone with faults:");
    for fault in zone::parse("@ SOA ns1").err().unwrap_or_default() {
        println!("  {fault}");
    }
    Ok(())
}

/// One question in class IN, id 1.
fn query(name: &DomainName, kind: RecordType) -> Vec<u8> {
    let mut message = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(name.as_wire());
    message.extend_from_slice(&kind.get().to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    message
}
