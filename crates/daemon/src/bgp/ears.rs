//! Where a peer's task hears of the world, and where it tells of itself.

use super::{KeptSession, Question};
use crate::bfd;
use crate::bmp::Lines;
use crate::clock::Clock;
use crate::events::Bus;
use crate::export::Decision;
use crate::metrics::Metrics;
use crate::succession::StandStill;
use bgp::session::{ShutdownText, StopKind};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

/// Where a peer's task hears of the world.
#[derive(Debug)]
pub(crate) struct Ears {
    /// What the site announces.
    pub(crate) decision: watch::Receiver<Arc<Decision>>,
    /// What the site file says about the peer, as far as it may change while the session lives.
    pub(crate) neighbour: watch::Receiver<config::Peer>,
    /// Calls of the peer.
    pub(crate) calls: mpsc::Receiver<TcpStream>,
    /// What people ask about routes that were heard.
    pub(crate) questions: mpsc::Receiver<Question>,
    /// Whether the path to the peer is there, where somebody watches it.
    pub(crate) path: watch::Receiver<Option<bfd::View>>,
    /// The collectors of BMP that want to be told.
    pub(crate) lines: watch::Receiver<Lines>,
    /// The order to stop.
    pub(crate) stop: watch::Receiver<Goodbye>,
    /// Another program is about to take over; an error says that the session could not be written down.
    pub(crate) still: mpsc::Receiver<StandStill<Option<serde_json::Result<KeptSession>>>>,
}

/// What a peer is told at the end.
#[derive(Clone, Debug)]
pub(crate) struct Goodbye {
    /// What was decided.
    pub(crate) kind: StopKind,
    /// What to tell its operators, where the kind lets us.
    pub(crate) text: Option<ShutdownText>,
}

/// Where a peer's task tells of itself.
#[derive(Clone, Debug)]
pub(crate) struct Mouth {
    pub(crate) clock: Clock,
    pub(crate) bus: Bus,
    pub(crate) metrics: Metrics,
}
