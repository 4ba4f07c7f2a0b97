//! What the kernel drops because of its guards never reaches the sessions: they only see that nobody answers. This
//! looks at the kernel's counters and says so.

use super::Event;
use crate::event::Source;
use crate::events::Bus;
use crate::status::Shown;
use ::bgp::session::StateName;
use linux::tcp::{Refused, refused};
use std::time::Duration;
use terms::Reason;
use tokio::sync::watch::Receiver;

/// From one look at the counters to the next.
const LOOK: Duration = Duration::from_secs(5);

/// After a line, none for so long: anybody on the Internet can make the kernel drop segments.
const QUIET: Duration = Duration::from_secs(60);

/// Looks for as long as the daemon runs. A kernel that shows no counters is looked at in vain.
pub(crate) async fn watch(shown: Receiver<Shown>, bus: Bus) {
    let mut before = refused().unwrap_or_default();
    loop {
        tokio::time::sleep(LOOK).await;
        let now = refused().unwrap_or(before);
        if now == before {
            continue;
        }
        let segments = since(now, before);
        before = now;
        bus.tell(&Event::Dropped { segments, waiting: waiting(&shown.borrow()) }, Source::Process);
        tokio::time::sleep(QUIET).await;
    }
}

fn since(now: Refused, before: Refused) -> Refused {
    Refused {
        unsigned: now.unsigned.saturating_sub(before.unsigned),
        unexpected: now.unexpected.saturating_sub(before.unexpected),
        wrong: now.wrong.saturating_sub(before.wrong),
        too_far: now.too_far.saturating_sub(before.too_far),
    }
}

/// The peers without a session.
fn waiting(shown: &Shown) -> Reason {
    let peers = shown.peers.iter().filter(|peer| peer.view.borrow().state != StateName::Established);
    let names: Vec<String> = peers.map(|peer| peer.name.to_string()).collect();
    names.join(", ").into()
}
