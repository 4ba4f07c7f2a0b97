//! RFC 7606 and RFC 7607 as one table: an UPDATE with one fault per row, and what follows from it for a neighbour of
//! another network (eBGP) and of our own (iBGP). The table is part of the reference.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "rfc7606/octets.rs"]
mod octets;
#[path = "rfc7606/rows.rs"]
mod rows;

use bgp::session::{Notification, PeerKind};
use bgp::wire::attribute::{Fault, Handling};
use bgp::wire::capability::AddPath;
use bgp::wire::negotiated::Negotiated;
use bgp::wire::update::Verdict;
use octets::{NLRI, NLRI6, OPTIONAL, WELL_KNOWN, and, announce, body, flawless, mp_reach, raw, with};
use std::fmt::Write;
use terms::Family;

/// What was negotiated with the neighbour of a row.
#[derive(Clone, Copy)]
enum Session {
    /// Both families, AS numbers of four octets.
    Plain,
    /// AS numbers of two octets.
    TwoOctets,
    /// IPv4 routes may have an IPv6 next hop (RFC 8950).
    ExtendedNextHop,
    /// It sends path identifiers (RFC 7911).
    AddPath,
    /// IPv6 alone.
    Ipv6,
}

impl Session {
    fn negotiated(self, peer_kind: PeerKind) -> Negotiated {
        let plain = Negotiated::plain(peer_kind);
        let paths = AddPath { receive: true, send: false };
        match self {
            Session::Plain => plain,
            Session::TwoOctets => Negotiated { four_octet_asn: false, ..plain },
            Session::ExtendedNextHop => Negotiated { extended_next_hop: [Family::Ipv4].into(), ..plain },
            Session::AddPath => {
                Negotiated { add_path: Family::ALL.map(|family| (family, paths)).into(), ..plain }
            }
            Session::Ipv6 => Negotiated { families: [Family::Ipv6].into(), ..plain },
        }
    }
}

fn judge(body: &[u8], peer_kind: PeerKind, session: Session) -> Verdict {
    Verdict::decode(body, &session.negotiated(peer_kind))
}

/// The verdict, and what of the UPDATE it is about.
fn words(verdict: &Verdict) -> String {
    let about = |faults: &[Fault], handling| {
        let of_weight = faults.iter().filter(|fault| fault.handling == handling);
        let mut names: Vec<String> = of_weight.map(|fault| fault.attribute.to_string()).collect();
        names.dedup();
        names.join(", ")
    };
    match verdict {
        Verdict::Accept(_) => "accept".to_owned(),
        Verdict::DiscardAttribute(_, faults) => format!("discard {}", about(faults, Handling::Discard)),
        Verdict::TreatAsWithdraw(_, faults) => format!("withdraw: {}", about(faults, Handling::Withdraw)),
        Verdict::DisableFamily { family, fault, rest } => {
            assert_eq!(fault.handling, Handling::Disable);
            format!("disable {family}: {}; else {}", fault.attribute, words(rest))
        }
        Verdict::Reset(Notification { error, .. }) => format!("reset {}/{}", error.code, error.subcode),
    }
}

#[test]
fn every_fault_and_every_kind_of_neighbour() {
    let mut table = String::from("| RFC | UPDATE | eBGP | iBGP |\n|---|---|---|---|\n");
    for row in rows::rows() {
        let [external, internal] = [PeerKind::External, PeerKind::Internal]
            .map(|peer_kind| words(&judge(&row.body, peer_kind, row.session)));
        writeln!(table, "| {} | {} | {external} | {internal} |", row.section, row.name).unwrap();
    }
    insta::assert_snapshot!(table);
}

/// RFC 7606 section 3g: of what is there more than once the first counts.
#[test]
fn the_first_of_several_counts() {
    let list = and(raw(WELL_KNOWN, 1, &[2]));
    match judge(&announce(&list), PeerKind::External, Session::Plain) {
        Verdict::DiscardAttribute(update, faults) => {
            assert_eq!(update.attributes.origin, Some(terms::Origin::Igp));
            assert_eq!(faults.len(), 1);
        }
        other => panic!("{other:?}"),
    }
}

/// What is discarded is not there: neither a LOCAL_PREF nor who reflected the route, when another network says so.
#[test]
fn discarded_attributes_leave_nothing() {
    let list = [
        flawless(),
        vec![raw(WELL_KNOWN, 5, &[0, 0, 0, 9]), raw(OPTIONAL, 9, &[1; 4]), raw(OPTIONAL, 10, &[1; 8])],
    ]
    .concat();
    let Verdict::DiscardAttribute(external, faults) =
        judge(&announce(&list), PeerKind::External, Session::Plain)
    else {
        panic!()
    };
    let Verdict::Accept(internal) = judge(&announce(&list), PeerKind::Internal, Session::Plain) else {
        panic!()
    };
    assert_eq!(faults.len(), 3);
    let (ebgp, ibgp) = (external.attributes, internal.attributes);
    assert_eq!((ebgp.local_pref, ebgp.originator_id, ebgp.cluster_list.len()), (None, None, 0));
    assert_eq!((ibgp.local_pref, ibgp.cluster_list.len()), (Some(9), 2));
    assert_eq!(ibgp.originator_id, Some([1; 4].into()));
}

/// RFC 4760 section 7: the other family's routes in the same UPDATE hold.
#[test]
fn a_disabled_family_takes_nothing_with_it() {
    let list = [flawless(), vec![raw(OPTIONAL, 14, &mp_reach(&[1; 16], &[129]))]].concat();
    match judge(&announce(&list), PeerKind::External, Session::Plain) {
        Verdict::DisableFamily { family: Family::Ipv6, rest, .. } => match *rest {
            Verdict::Accept(update) => {
                assert_eq!(update.announced().map(|p| p.to_string()).collect::<Vec<_>>(), ["192.0.2.0/24"]);
            }
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// A treat-as-withdraw takes back everything that the UPDATE names, whichever field it is in.
#[test]
fn a_withdraw_names_every_prefix() {
    let list = [with(WELL_KNOWN, 1, &[9]), vec![raw(OPTIONAL, 14, &mp_reach(&[1; 16], NLRI6))]].concat();
    let verdict = judge(&body(&[16, 198, 18], &list, NLRI), PeerKind::External, Session::Plain);
    let Verdict::TreatAsWithdraw(prefixes, _) = verdict else { panic!("{verdict:?}") };
    let named: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
    assert_eq!(named, ["198.18.0.0/16", "192.0.2.0/24", "2001:db8:53::/48"]);
}

/// RFC 4271 section 6.3: the NOTIFICATION quotes the whole attribute.
#[test]
fn a_reset_quotes_the_attribute() {
    let unknown = raw(WELL_KNOWN, 99, &[1, 2]);
    match judge(&announce(&and(unknown.clone())), PeerKind::External, Session::Plain) {
        Verdict::Reset(notification) => assert_eq!(notification.data, unknown),
        other => panic!("{other:?}"),
    }
}

/// Routes of a family that the session does not carry are ignored, with or without faults.
#[test]
fn families_that_were_not_negotiated() {
    match judge(&announce(&flawless()), PeerKind::External, Session::Ipv6) {
        Verdict::DiscardAttribute(update, _) => assert_eq!(update.announced().count(), 0),
        other => panic!("{other:?}"),
    }
    let faulty = judge(&announce(&with(WELL_KNOWN, 1, &[9])), PeerKind::External, Session::Ipv6);
    assert!(matches!(faulty, Verdict::TreatAsWithdraw(prefixes, _) if prefixes.is_empty()));
}
