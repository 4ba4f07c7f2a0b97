use super::*;
use crate::bmp::Taken;
use crate::export::{NextHops, next_hops};
use bgp::session::{Direction, Input, KeepReceived, Settings, StateName};
use bgp::wire::capability::Capability;
use bgp::wire::message::KEEPALIVE;
use bgp::wire::negotiated::{Negotiated, PeerKind};
use bgp::wire::open::{HoldTime, Open};
use bgp::wire::route_refresh::{Refresh, RouteRefresh};
use bgp::wire::update::Update;
use terms::{Attributes, Origin, Prefix, Timestamp};

const CONNECTION: ConnectionId = ConnectionId(1);

/// A session and what its task tells.
struct Bench {
    session: Session,
    monitoring: Monitoring,
    view: View,
    lines: Lines,
}

impl Bench {
    fn new() -> Self {
        let settings = Settings::new(asn("64501"), asn("64500"), "10.1.0.10".parse().unwrap());
        let none: NextHops = next_hops(&BTreeMap::new(), None);
        let view = View::for_test(StateName::Idle, BTreeSet::new(), none, Ledger::default());
        let mut session = Session::new(settings, 7);
        session.keep(Some(KeepReceived::default()));
        Bench { session, monitoring: Monitoring::default(), view, lines: Lines::new() }
    }

    /// A session that is up and has told one route.
    fn established() -> Self {
        let mut bench = Bench::new();
        bench.establish();
        bench.want(&["198.18.0.0/24"]);
        bench
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Monitoring, &mut Session, &Lines, &About<'_>) -> T) -> T {
        let ends =
            Ends { local: "10.1.0.10:40000".parse().unwrap(), remote: "10.1.0.1:179".parse().unwrap() };
        let about = About {
            address: ends.remote.ip(),
            asn: self.session.settings().peer_asn,
            ends: &|id| (id == CONNECTION).then_some(ends),
            view: &self.view,
            clock: Clock::start(),
            now: WallTime(5000),
        };
        act(&mut self.monitoring, &mut self.session, &self.lines, &about)
    }

    fn feed(&mut self, input: Input) {
        self.session.handle(input, Timestamp::ZERO);
        self.with(|monitoring, session, _, about| monitoring.pass_on(session, about));
        while self.session.poll_output().is_some() {}
        self.with(|monitoring, session, _, about| monitoring.pass_on(session, about));
    }

    fn say(&mut self, bytes: Vec<u8>) {
        self.feed(Input::Bytes { connection: CONNECTION, bytes });
    }

    fn establish(&mut self) {
        self.feed(Input::Start);
        self.feed(Input::Connected { connection: CONNECTION, direction: Direction::Outbound });
        let four_octets = Capability::FourOctetAsn(asn("64500"));
        let families = Family::ALL.map(Capability::Multiprotocol);
        let capabilities = [four_octets, Capability::EnhancedRouteRefresh].into_iter().chain(families);
        let router_id = "10.1.0.1".parse().unwrap();
        let hold_time = HoldTime::DEFAULT;
        let open = Open { asn: asn("64500"), hold_time, router_id, capabilities: capabilities.collect() };
        self.say([open.encode(), KEEPALIVE.to_vec()].concat());
        assert_eq!(self.session.state(), StateName::Established);
    }

    fn want(&mut self, prefixes: &[&str]) {
        let route = |text: &&str| (text.parse().unwrap(), Attributes::originated([10, 1, 0, 10].into()));
        self.feed(Input::Wanted(Arc::new(prefixes.iter().map(route).collect())));
        self.view.ledger.note(self.session.told(), WallTime(3000));
    }

    /// The peer announces so many routes, one in each UPDATE.
    fn hear(&mut self, routes: u16) {
        for number in 0..routes {
            let [high, low] = number.to_be_bytes();
            let prefix = Prefix::containing([11, high, low, 0].into(), 24).unwrap();
            let mut update = Update { reached: vec![prefix.into()], ..Update::default() };
            update.attributes.origin = Some(Origin::Igp);
            update.attributes.as_path = Some(bgp::wire::as_path::AsPath::sequence(vec![asn("64500")]));
            update.attributes.next_hop = Some([10, 1, 0, 1].into());
            self.say(update.encode(&Negotiated::plain(PeerKind::External)).unwrap());
        }
    }

    /// Another collector comes.
    fn come(&mut self, name: &str, received: bool, max_memory: usize) -> Taken {
        let (line, taken) = Line::open(received, max_memory);
        self.lines.insert(name.parse().unwrap(), line);
        self.follow();
        taken
    }

    fn follow(&mut self) {
        self.with(|monitoring, session, lines, about| monitoring.follow(lines, session, about));
    }

    fn catch_up(&mut self) {
        self.with(|monitoring, session, _, about| monitoring.catch_up(session, about));
    }

    fn is_behind(&self) -> bool {
        self.monitoring.followed.values().any(|followed| followed.behind != Behind::Nothing)
    }
}

fn asn(text: &str) -> Asn {
    text.parse().unwrap()
}

/// What waits in a line, in few words.
fn words(taken: &mut Taken) -> Vec<String> {
    std::iter::from_fn(|| taken.next_now()).map(|message| word(&message)).collect()
}

fn word(message: &[u8]) -> String {
    let seconds = u32::from_be_bytes(message[40..44].try_into().unwrap());
    match (message[5], message[7]) {
        (0, flags) => {
            let update = &message[48..];
            let what = match (update.len(), update[19..23] == [0; 4]) {
                (23, true) => "End-of-RIB ipv4",
                (29 | 30, _) => "End-of-RIB ipv6",
                (_, _) if update[19..21] == [0; 2] => "announced",
                (_, _) => "withdrawn",
            };
            let whose = if flags == 0x50 { "told" } else { "heard" };
            format!("{whose} {what} at {seconds}")
        }
        (1, 0) => "figures".to_owned(),
        (2, 0) => format!("down {}", message[48]),
        (3, 0) => "up".to_owned(),
        other => panic!("{other:?}"),
    }
}

const INTRODUCTION: [&str; 4] =
    ["up", "told announced at 3", "told End-of-RIB ipv4 at 5", "told End-of-RIB ipv6 at 5"];

#[test]
fn who_comes_late_is_told_everything_and_then_what_happens() {
    let mut bench = Bench::established();
    let mut taken = bench.come("late", false, 1 << 20);
    assert_eq!(words(&mut taken), INTRODUCTION);
    bench.hear(1);
    assert_eq!(words(&mut taken), [""; 0], "what the peer tells is not wanted");
    bench.want(&[]);
    assert_eq!(words(&mut taken), ["told withdrawn at 5"]);
    bench.feed(Input::Closed { connection: CONNECTION });
    assert_eq!(words(&mut taken), ["down 4"]);
    bench.lines.values_mut().for_each(|line| line.reports += 1);
    bench.follow();
    assert_eq!(words(&mut taken), [""; 0], "there is no session to have figures about");
}

#[test]
fn who_was_there_before_hears_the_begin_once() {
    let mut bench = Bench::new();
    let mut taken = bench.come("early", true, 1 << 20);
    assert_eq!(words(&mut taken), [""; 0]);
    bench.establish();
    let begin = ["up", "told End-of-RIB ipv4 at 5", "told End-of-RIB ipv6 at 5"];
    assert_eq!(words(&mut taken), begin);
    bench.lines.values_mut().for_each(|line| line.reports += 1);
    bench.follow();
    bench.follow();
    assert_eq!(words(&mut taken), ["figures"]);
}

#[test]
fn kept_routes_follow_in_portions_while_there_is_room() {
    let mut bench = Bench::established();
    bench.hear(2000);
    let mut taken = bench.come("whole", true, 1 << 20);
    let introduced = words(&mut taken);
    assert_eq!(introduced, INTRODUCTION, "first what is small");
    let (mut heard, mut portions) = (Vec::new(), 0);
    while bench.is_behind() {
        bench.catch_up();
        portions += 1;
        let portion = words(&mut taken);
        assert!(portion.len() < 600, "{} messages at once", portion.len());
        heard.extend(portion);
    }
    assert!(portions > 4, "{portions}");
    assert_eq!(heard.iter().filter(|word| word.starts_with("heard announced")).count(), 2000);
    assert_eq!(heard.iter().filter(|word| word.starts_with("heard End-of-RIB")).count(), 2);
    assert_eq!(heard.last().unwrap(), "heard End-of-RIB ipv6 at 5");
    // A line without room is left alone.
    let mut narrow = bench.come("narrow", true, 4000);
    for _ in 0..100 {
        bench.catch_up();
    }
    let waiting = words(&mut narrow);
    assert!(bench.is_behind() && waiting.len() < 40, "{} wait", waiting.len());
}

/// RFC 7313: what is gone without an UPDATE cannot be told by one.
#[test]
fn what_is_not_true_any_more_is_told_anew() {
    let mut bench = Bench::established();
    bench.hear(1);
    let mut told = bench.come("told", false, 1 << 20);
    let mut all = bench.come("all", true, 1 << 20);
    while bench.is_behind() {
        bench.catch_up();
    }
    let _ = (words(&mut told), words(&mut all));
    for _ in 0..50 {
        bench.hear(1);
        bench.say(RouteRefresh::about(Family::Ipv4, Refresh::Begin).encode());
        bench.say(RouteRefresh::about(Family::Ipv4, Refresh::End).encode());
    }
    assert_eq!(words(&mut all), ["heard announced at 5"; 50]);
    while bench.is_behind() {
        bench.catch_up();
    }
    let anew = words(&mut all);
    assert_eq!(anew[0], "down 5", "once, however often it happened");
    assert_eq!(anew[1..5], INTRODUCTION);
    assert_eq!(anew[5..], ["heard End-of-RIB ipv4 at 5", "heard End-of-RIB ipv6 at 5"]);
    assert_eq!(words(&mut told), [""; 0], "this one was told nothing of it");
}

#[test]
fn what_nobody_follows_is_not_noted() {
    let mut bench = Bench::established();
    let taken = bench.come("gone", true, 1 << 20);
    bench.lines.clear();
    bench.follow();
    bench.hear(3);
    assert_eq!(bench.session.poll_monitored(), None);
    assert!(bench.monitoring.up.is_none() && bench.monitoring.followed.is_empty());
    drop(taken);
}
