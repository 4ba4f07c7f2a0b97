//! What every peer makes of one blackhole, for people and for whoever judges an order.

use super::book::Standing;
use crate::export::blackhole::{self, NotTold};
use crate::export::{self, Decision};
use crate::status::{self, Peer};
use api::BlackholePeer;
use terms::{Attributes, PeerName, Prefix};

/// What a peer is to be told.
#[derive(Clone, Debug)]
pub(super) struct Outlook {
    pub(super) peer: PeerName,
    /// Whether the site file says that it takes any.
    pub(super) takes: bool,
    pub(super) gets: Result<Attributes, NotTold>,
}

impl Outlook {
    /// Why the peer is not told, however long one waits.
    pub(super) fn never(&self) -> Option<&NotTold> {
        self.gets.as_ref().err().filter(|why| !why.may_pass())
    }
}

/// What each peer is to be told of one blackhole of the decision.
pub(super) fn outlooks(prefix: Prefix, decision: &Decision, peers: &[Peer]) -> Vec<Outlook> {
    let outlook = |peer: &Peer| {
        let view = peer.view.borrow();
        let to = view.towards(&peer.name);
        let told = export::services(decision, &to);
        let mut routes = blackhole::routes(decision, &to, &told);
        // One that is not in the decision is asked of nobody.
        let gets = routes.find(|(one, _)| *one == prefix).map_or(Err(NotTold::NotAsked), |(_, gets)| gets);
        Outlook { peer: peer.name.clone(), takes: view.policy.blackhole.is_some(), gets }
    };
    peers.iter().map(outlook).collect()
}

/// One blackhole as the API shows it.
pub(crate) fn shown(standing: &Standing, decision: &Decision, peers: &[Peer]) -> api::Blackhole {
    let rows = peers.iter().zip(outlooks(standing.prefix, decision, peers)).map(|(peer, outlook)| {
        let told = status::told_peer(peer, &peer.view.borrow().ledger, standing.prefix).told;
        let because = outlook.gets.as_ref().err().map(|why| why.to_string().into());
        BlackholePeer { peer: outlook.peer, told, gets: outlook.gets.ok(), because }
    });
    let Standing { prefix, who, reason, override_guard, when, until, .. } = standing.clone();
    api::Blackhole { prefix, who, when, until, reason, override_guard, peers: rows.collect() }
}
