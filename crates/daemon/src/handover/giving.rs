//! One connection, given to another site: what [`Giver`] says, carried out.

use super::channel::{Channel, Fault};
use super::cooperation::{Fate, Offered};
use super::delivery::Delivery;
use super::kernel;
use super::patience::Patience;
use super::tally::{Tally, Why};
use crate::continuity::Fences;
use ::continuity::handover::{Dump, Giver, GiverAct, GiverEvent, Message, Refusal};
use ::continuity::{Flow, KeyRing, Shim, SiteNumber, Visited};
use linux::tcp::repair;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::time::Instant;
use tokio::time::{Instant as Deadline, timeout_at};

/// What belongs to the way to one site.
pub(super) struct Way<'a> {
    pub(super) fences: &'a Fences,
    pub(super) here: SiteNumber,
    pub(super) to: SiteNumber,
    /// Where it takes packets.
    pub(super) tunnel: SocketAddr,
    /// What they come from.
    pub(super) packets: &'a UdpSocket,
    pub(super) ring: &'a KeyRing,
    /// Where packets go that come back.
    pub(super) delivery: &'a Delivery,
    pub(super) patience: Patience,
}

/// One connection on its way.
struct Giving<'a> {
    way: &'a Way<'a>,
    channel: &'a mut Channel,
    socket: &'a OwnedFd,
    flow: Flow,
    state: Vec<u8>,
    /// So many octets may its queues hold.
    most: usize,
    dump: Option<Dump>,
    /// What its socket expected next when its state was read.
    expected: u32,
    deadline: Deadline,
    /// Why it stays, if it does.
    why: Why,
    /// Whether the channel has failed.
    is_broken: bool,
}

/// What has come of one.
pub(super) struct End {
    /// Why it is not the other site's.
    pub(super) why: Option<Why>,
    /// Whether the channel can be used again.
    pub(super) is_channel_well: bool,
}

/// Gives a connection away, or leaves it where it is: also if its queues hold more than `most` octets.
pub(super) async fn give(
    mut offered: Offered,
    most: usize,
    way: &Way<'_>,
    channel: &mut Channel,
    tally: &Tally,
) -> End {
    let Some(flow) = flow_of(&offered.socket) else {
        tally.keep(Why::Undumpable);
        offered.stays();
        return End { why: Some(Why::Undumpable), is_channel_well: true };
    };
    let began = Instant::now();
    let mut giving = Giving {
        way,
        channel,
        flow,
        state: std::mem::take(&mut offered.state),
        socket: &offered.socket,
        most,
        dump: None,
        expected: 0,
        deadline: Deadline::now() + way.patience.giver(),
        why: Why::Undumpable,
        is_broken: false,
    };
    let end = giving.run().await;
    let Giving { why, is_broken, .. } = giving;
    let why = match end {
        // The other site has not heard that it may begin.
        Giver::Given if is_broken => Some(Why::Broken),
        Giver::Given => None,
        Giver::Ready | Giver::Frozen | Giver::Offered | Giver::Accepted | Giver::Kept => Some(why),
    };
    match why {
        Some(why) => tally.keep(why),
        None => tally.give(began.elapsed()),
    }
    offered.settle(if end == Giver::Given { Fate::Moved } else { Fate::Stays });
    End { why, is_channel_well: !is_broken }
}

/// Nothing where an end has gone already.
fn flow_of(socket: &OwnedFd) -> Option<Flow> {
    let socket = socket2::SockRef::from(socket);
    let ends = (socket.peer_addr().ok()?.as_socket()?, socket.local_addr().ok()?.as_socket()?);
    Some(Flow::new(ends.0, ends.1))
}

impl Giving<'_> {
    /// Until it is settled; the end.
    async fn run(&mut self) -> Giver {
        let mut state = Giver::Ready;
        let mut event = self.freeze();
        loop {
            let (next, acts) = state.next(event);
            state = next;
            let mut follows = None;
            for act in acts {
                follows = self.carry_out(*act).await.or(follows);
            }
            if matches!(state, Giver::Given | Giver::Kept) {
                return state;
            }
            event = match follows {
                Some(event) => event,
                None => self.hear().await,
            };
        }
    }

    fn freeze(&mut self) -> GiverEvent {
        // First the fence: what a frozen socket takes in would be missing at the other site.
        let is_fenced = self.way.fences.fence(&self.flow, self.way.patience.fence()).unwrap_or(false);
        if is_fenced && repair::freeze(self.socket).is_ok() {
            return GiverEvent::Froze;
        }
        self.why = Why::Unfenced;
        GiverEvent::Failed
    }

    async fn carry_out(&mut self, act: GiverAct) -> Option<GiverEvent> {
        match act {
            GiverAct::Dump => Some(self.read()),
            GiverAct::Offer => {
                let Some(dump) = self.dump.take() else { return Some(GiverEvent::Failed) };
                let state = std::mem::take(&mut self.state);
                self.say(&Message::Offer { state, dump }).await
            }
            GiverAct::Compare => Some(self.compare()),
            GiverAct::Release => self.say(&Message::Released).await,
            GiverAct::Withdraw => self.say(&Message::Withdrawn).await,
            GiverAct::Discard => {
                // Whatever the kernel answers: frozen, it says nothing to the client, and it ends with its descriptors.
                let _ = repair::discard(self.socket);
                None
            }
            GiverAct::Learn => {
                // Otherwise its packets find the other site by its filter, a second later.
                let _ = self.way.fences.learn(&self.flow, self.way.to);
                None
            }
            GiverAct::Replay => {
                self.way.fences.take_held(&self.flow).iter().for_each(|packet| self.send_on(packet));
                None
            }
            GiverAct::Unfence => {
                // Whose they are says an act before: a socket that has ended takes nothing in.
                self.deliver(self.way.fences.unfence(&self.flow));
                None
            }
            GiverAct::Thaw => {
                // One that was never frozen thaws, too.
                let _ = repair::thaw(self.socket);
                None
            }
        }
    }

    fn read(&mut self) -> GiverEvent {
        match repair::dump(self.socket, self.most) {
            Ok(connection) => {
                self.expected = connection.received.next;
                self.dump = Some(kernel::said(connection));
                GiverEvent::Dumped
            }
            Err(_) if repair::queued(self.socket).is_ok_and(|queued| queued > self.most) => {
                self.stay(Why::TooMuch, GiverEvent::Failed)
            }
            Err(_) => self.stay(Why::Undumpable, GiverEvent::Failed),
        }
    }

    /// The last look before it ends here.
    fn compare(&mut self) -> GiverEvent {
        // The other site has dropped its own by the time that an answer is read too late.
        if Deadline::now() >= self.deadline {
            return self.fail(Why::Late, GiverEvent::Late);
        }
        match repair::expected(self.socket) {
            Ok(expected) if expected == self.expected => GiverEvent::Same,
            Ok(_) => self.stay(Why::Changed, GiverEvent::Failed),
            Err(_) => self.stay(Why::Undumpable, GiverEvent::Failed),
        }
    }

    async fn say(&mut self, message: &Message) -> Option<GiverEvent> {
        match timeout_at(self.deadline, self.channel.say(message)).await {
            Ok(Ok(())) => None,
            Ok(Err(_)) => Some(self.fail(Why::Lost, GiverEvent::Lost)),
            Err(_) => Some(self.fail(Why::Late, GiverEvent::Late)),
        }
    }

    async fn hear(&mut self) -> GiverEvent {
        match timeout_at(self.deadline, self.channel.hear()).await {
            Ok(Ok(Message::Accepted)) => GiverEvent::Accepted,
            Ok(Ok(Message::Refused(refusal))) => {
                let why = match refusal {
                    Refusal::NoService => Why::NoService,
                    Refusal::Kernel => Why::Kernel,
                    Refusal::Service => Why::Service,
                    Refusal::NoRoom => Why::Crowded,
                };
                self.stay(why, GiverEvent::Refused)
            }
            Ok(Ok(Message::Begin | Message::Offer { .. } | Message::Released | Message::Withdrawn))
            | Ok(Err(Fault::Io(_) | Fault::Version | Fault::Stranger | Fault::Key | Fault::Seal))
            | Ok(Err(Fault::Malformed(_) | Fault::Order)) => self.fail(Why::Lost, GiverEvent::Lost),
            Err(_) => self.fail(Why::Late, GiverEvent::Late),
        }
    }

    fn stay(&mut self, why: Why, event: GiverEvent) -> GiverEvent {
        self.why = why;
        event
    }

    /// The channel is of no use any more, either.
    fn fail(&mut self, why: Why, event: GiverEvent) -> GiverEvent {
        self.is_broken = true;
        self.stay(why, event)
    }

    /// Through the tunnel, as the programs would. What does not leave is sent again by its client.
    fn send_on(&self, packet: &[u8]) {
        let shim = Shim::sign(Visited::One(self.way.here), &self.flow, self.way.ring).encode();
        let _ = self.way.packets.send_to(&[&shim[..], packet].concat(), self.way.tunnel);
    }

    fn deliver(&self, packets: Vec<Vec<u8>>) {
        let is_gone = socket2::SockRef::from(self.socket).peer_addr().is_err();
        if is_gone {
            packets.iter().for_each(|packet| self.send_on(packet));
        } else {
            self.way.delivery.deliver(&self.flow, packets);
        }
    }
}
