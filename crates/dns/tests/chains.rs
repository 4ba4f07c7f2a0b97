//! Zones with several chains of NSEC3, as they are while a signer changes the parameters: which one proves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/messages.rs"]
mod messages;

use dns::{Identity, Outcome, Transport, Zone, Zones, zone};
use messages::{AskEdns, answer, ask, show};
use std::sync::Arc;

/// Two names, and what proves that there are no others.
const ZONE: &str = "$ORIGIN example.\n$TTL 300\n@ SOA ns.elsewhere. h 1 3600 900 604800 120\n NS ns.elsewhere.\na A 192.0.2.1\n";
/// Without salt, hashed once.
const ONCE: [&str; 2] = [
    "3msev9usmd4br9s97v51r2tdvmr9iqo1 NSEC3 1 0 0 - 6cd522290vma0nr8lqu1ivtcofj94rga SOA\n",
    "6cd522290vma0nr8lqu1ivtcofj94rga NSEC3 1 0 0 - 3msev9usmd4br9s97v51r2tdvmr9iqo1 A\n",
];
/// Hashed five times more.
const OFTEN: [&str; 2] = [
    "h2dqkhqfjb5o1nb6m2or5oq4blj55q8m NSEC3 1 0 5 - pomlvmmh82t6p8pg24npk8rdr7kupooi A\n",
    "pomlvmmh82t6p8pg24npk8rdr7kupooi NSEC3 1 0 5 - h2dqkhqfjb5o1nb6m2or5oq4blj55q8m SOA\n",
];
const BOTH: &str = "@ NSEC3PARAM 1 0 0 -\n@ NSEC3PARAM 1 0 5 -\n";

/// With what the zone proves that a name is not there: the parameters of its NSEC3 records, or NSEC.
fn proof(lines: &[&str]) -> Vec<String> {
    proof_of(zone::parse(&(ZONE.to_owned() + &lines.concat())).unwrap_or_else(|faults| panic!("{faults:#?}")))
}

fn proof_of(zone: Zone) -> Vec<String> {
    let zones = Zones::new(vec![Arc::new(zone)]).unwrap();
    let identity = Identity::new(&"london".parse().unwrap(), None);
    let mut query = ask("nobody.example.", "A");
    query.edns = Some(AskEdns { flags: 0x8000, ..AskEdns::default() });
    let mut out = vec![0; 65535];
    let Outcome::Reply { length, .. } = answer(&zones, &identity, &query.octets(), Transport::Tcp, &mut out)
    else {
        panic!("no reply");
    };
    let shown = show(&out[..length]).unwrap();
    let proofs = shown.authority.iter().filter_map(|record| record.split(" IN NSEC").nth(1));
    let mut kinds: Vec<String> =
        proofs.map(|proof| proof.split(' ').take(5).collect::<Vec<_>>().join(" ")).collect();
    kinds.dedup();
    kinds
}

#[test]
fn any_complete_chain_will_do() {
    let (once, often) = (ONCE.concat(), OFTEN.concat());
    assert_eq!(proof(&[BOTH, &once, &often]), ["3 1 0 0 -"], "the cheaper one");
    assert_eq!(proof(&["@ NSEC3PARAM 1 0 5 -\n", &once, &often]), ["3 1 0 5 -"], "the one that is announced");
}

#[test]
fn a_chain_that_is_not_complete_is_not_taken() {
    let often = OFTEN.concat();
    assert_eq!(proof(&[BOTH, &often]), ["3 1 0 5 -"], "nothing of it");
    for part in ONCE {
        assert_eq!(proof(&[BOTH, part, &often]), ["3 1 0 5 -"], "it is no ring: {part}");
    }
    let flagged = "@ NSEC3PARAM 1 1 0 -\n@ NSEC3PARAM 1 0 5 -\n";
    assert_eq!(proof(&[flagged, &ONCE.concat(), &often]), ["3 1 0 5 -"], "its signer works on it");
    let dear = "@ NSEC3PARAM 1 0 0 -\n@ NSEC3PARAM 1 0 151 -\n";
    assert_eq!(proof(&[dear, &ONCE.concat()]), ["3 1 0 0 -"], "nobody needs the other");
}

#[test]
fn names_prove_where_no_hashes_do() {
    let names = "@ NSEC a SOA NS NSEC\na NSEC @ A NSEC\n";
    assert!(
        proof(&["@ NSEC3PARAM 1 0 0 -\n", names])[0].starts_with(" example."),
        "on the way to hashes, or back"
    );
    assert_eq!(proof(&["@ NSEC3PARAM 1 0 0 -\n", names, &ONCE.concat()]), ["3 1 0 0 -"]);
    assert!(proof(&["@ NSEC3PARAM 1 0 0 -\n", names, ONCE[0]])[0].starts_with(" example."), "half of a ring");
    assert!(proof(&[BOTH, names, ONCE[0], OFTEN[1]])[0].starts_with(" example."), "half of two");
}

#[test]
fn a_change_that_closes_or_breaks_the_ring_decides_anew() {
    let names = "@ NSEC a SOA NS NSEC\na NSEC @ A NSEC\n";
    let parsed = |lines: &[&str]| {
        zone::parse(&(ZONE.to_owned() + &lines.concat())).unwrap_or_else(|faults| panic!("{faults:#?}"))
    };
    let ring = parsed(&["@ NSEC3PARAM 1 0 0 -\n", names, &ONCE.concat()]);
    let half = parsed(&["@ NSEC3PARAM 1 0 0 -\n", names, ONCE[0]]);
    let link = zone::ZoneRecords::of(&ring).filter(|record| record.kind == terms::RecordType::NSEC3).nth(1);
    let link = link.unwrap();
    assert_eq!(proof_of(half.changed(&[], &[&link]).unwrap()), ["3 1 0 0 -"]);
    assert_eq!(proof_of(ring.changed(&[&link], &[]).unwrap()), proof_of(half));
}
