//! What the kernel says of a connection, and what the sites say to each other of it.

use ::continuity::handover::{Dump, Queue, Window};
use linux::tcp::repair::{self, Connection};

/// As it is said to the other site.
pub(super) fn said(connection: Connection) -> Dump {
    let repair::Window { updated_by, theirs, largest, ours, ours_from } = connection.window;
    let queue = |queue: repair::Queue| Queue { next: queue.next, octets: queue.octets };
    Dump {
        service: connection.local,
        client: connection.remote,
        segment_size: connection.segment_size,
        scales: connection.scales,
        is_selective: connection.is_selective,
        timestamp: connection.timestamp,
        window: Window { updated_by, theirs, largest, ours, ours_from },
        sent: queue(connection.sent),
        unsent: connection.unsent,
        received: queue(connection.received),
    }
}

/// As the kernel is told.
pub(super) fn heard(dump: Dump) -> Connection {
    let Window { updated_by, theirs, largest, ours, ours_from } = dump.window;
    let queue = |queue: Queue| repair::Queue { next: queue.next, octets: queue.octets };
    Connection {
        local: dump.service,
        remote: dump.client,
        segment_size: dump.segment_size,
        scales: dump.scales,
        is_selective: dump.is_selective,
        timestamp: dump.timestamp,
        window: repair::Window { updated_by, theirs, largest, ours, ours_from },
        sent: queue(dump.sent),
        unsent: dump.unsent,
        received: queue(dump.received),
    }
}
