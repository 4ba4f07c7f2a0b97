//! What a peer told about one prefix, for whoever asks. The peer's task answers between two reads.

use crate::clock::Clock;
use api::HeardRoute;
use bgp::session::{Heard, Session};
use bgp::wire::as_path::{AsPath, Segment, SegmentKind};
use bgp::wire::attribute::PathAttributes;
use std::net::IpAddr;
use terms::Prefix;
use tokio::sync::oneshot;

/// Questions that may wait for a peer's task.
pub(crate) const QUESTIONS: usize = 8;

/// Somebody wants to know what the peer told about a prefix and everything that covers it.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) prefix: Prefix,
    /// None where nothing is kept.
    pub(crate) answer: oneshot::Sender<Option<Vec<HeardRoute>>>,
}

impl Question {
    pub(super) fn answer(self, session: &Session, clock: Clock) {
        let heard = session.heard_about(self.prefix);
        let routes = heard.map(|heard| heard.into_iter().map(|heard| route(heard, clock)).collect());
        // Whoever asked may have gone.
        let _ = self.answer.send(routes);
    }
}

fn route(heard: Heard, clock: Clock) -> HeardRoute {
    let Heard { prefix, path, at, stale, attributes, marks } = heard;
    // RFC 8326 section 4.1: the least preferred of all.
    let local_pref = if marks.graceful_shutdown { Some(0) } else { attributes.local_pref };
    HeardRoute {
        prefix,
        path_id: (path != 0).then_some(path),
        when: clock.wall_at(at),
        stale,
        marks: marks.iter().map(|mark| mark.word().to_owned()).collect(),
        origin: attributes.origin.unwrap_or_default(),
        next_hop: next_hop(&attributes),
        path: attributes.as_path.as_ref().map_or(String::new(), words),
        med: attributes.med,
        local_pref,
        communities: attributes.communities,
        extended_communities: attributes.extended_communities,
        large_communities: attributes.large_communities,
    }
}

fn next_hop(attributes: &PathAttributes) -> Option<IpAddr> {
    let other = attributes.mp_reach.as_ref().map(|reach| reach.next_hop);
    other.or(attributes.next_hop.map(IpAddr::from))
}

/// As routers write it: sets in braces, what is inside a confederation in parentheses.
fn words(path: &AsPath) -> String {
    let segment = |segment: &Segment| {
        let networks: Vec<String> = segment.networks.iter().map(ToString::to_string).collect();
        let networks = networks.join(" ");
        match segment.kind {
            SegmentKind::Sequence => networks,
            SegmentKind::Set => format!("{{{networks}}}"),
            SegmentKind::ConfederationSequence => format!("({networks})"),
            SegmentKind::ConfederationSet => format!("({{{networks}}})"),
        }
    };
    path.segments.iter().map(segment).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_as_routers_write_it() {
        let networks = |numbers: &[u32]| numbers.iter().map(|&asn| asn.try_into().unwrap()).collect();
        let segments = vec![
            Segment { kind: SegmentKind::ConfederationSequence, networks: networks(&[65001]) },
            Segment { kind: SegmentKind::Sequence, networks: networks(&[64500, 3]) },
            Segment { kind: SegmentKind::Set, networks: networks(&[4, 5]) },
        ];
        assert_eq!(words(&AsPath { segments }), "(65001) 64500 3 {4 5}");
    }
}
