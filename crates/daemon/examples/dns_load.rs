//! Asks a DNS server over UDP as fast as it answers, or faster, and looks at every reply. For `benches/dns`.
//!
//! ```text
//! dns_load ADDRESS QUERIES SECONDS window N     N questions are open, at least N - 31 all the time, asked in trains
//! dns_load ADDRESS QUERIES SECONDS rate N       N questions a second, each by itself, whatever comes back
//! dns_load ADDRESS QUERIES SECONDS flood N      the same in trains
//! ```
//! A train is of questions that follow each other and are equally long. The kernel cuts it up into datagrams as late as
//! it can, so that asking costs less than answering, and no server waits for its loader. Nor does any server have to wake
//! its loader, which costs more than an answer: with a window, it looks for replies again and again.
//!
//! How long a reply took, at a rate, is from the call that sends until the kernel of the loader has it: what the loader
//! does in between, and who takes its processor meanwhile, does not count. `took` has for each [`PERIOD`] how many replies
//! took so many microseconds, for each number that occurred.
//!
//! `QUERIES` has a question and what must be answered in each line: name, number of the type, whether DNSSEC is asked
//! for, code, whether the answer is authoritative, number of answers, and the data of the first one or `-`:
//! `n0000001.example. 1 0 0 1 1 0a000001`. They are asked in their order, again and again. One line of JSON says what
//! came of it; a wrong reply ends the program with its octets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken benchmark shall stop")]

use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmsg, setsockopt,
    sockopt,
};
use nix::sys::time::TimeSpec;
use std::collections::{BTreeMap, HashMap};
use std::io::{IoSlice, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant, SystemTime};

/// Datagrams for one system call.
const BATCH: usize = 64;
const REPLY: usize = 1500;
/// Replies that are waited for with a window before more is asked, so that trains are long.
const TRAIN: usize = 32;
/// Questions that are asked at once at a rate, at most.
const CROWD: u64 = 16;
/// The time between two looks at a rate. Somebody else has the processor meanwhile.
const PAUSE: Duration = Duration::from_micros(60);
/// The time between two looks at the socket: each takes a line of the cache from who answers.
const LOOK: Duration = Duration::from_micros(10);
/// The time whose replies are counted by themselves: some thousand.
const PERIOD: Duration = Duration::from_millis(100);
/// A question without an answer for so long is lost, and its place is used again.
const LOST: Duration = Duration::from_secs(1);

struct Question {
    message: Vec<u8>,
    /// Where the question ends in the message.
    end: usize,
    code: u8,
    authoritative: bool,
    answers: u16,
    data: Option<Vec<u8>>,
}

impl Question {
    fn of(line: &str) -> Option<Question> {
        let mut words = line.split(' ');
        let (name, kind, dnssec) = (words.next()?, words.next()?.parse::<u16>().ok()?, words.next()? == "1");
        let mut message = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(dnssec)];
        for label in name.split('.').filter(|label| !label.is_empty()) {
            message.push(u8::try_from(label.len()).ok()?);
            message.extend_from_slice(label.as_bytes());
        }
        message.push(0);
        message.extend_from_slice(&kind.to_be_bytes());
        message.extend_from_slice(&[0, 1]);
        let end = message.len();
        if dnssec {
            message.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0]); // payload 1232, DO
        }
        let (code, authoritative) = (words.next()?.parse().ok()?, words.next()? == "1");
        let answers = words.next()?.parse().ok()?;
        let data = match words.next()? {
            "-" => None,
            digits => {
                let octet = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
                Some((0..digits.len()).step_by(2).map(octet).collect::<Option<Vec<u8>>>()?)
            }
        };
        Some(Question { message, end, code, authoritative, answers, data })
    }

    fn asked(&self) -> &[u8] {
        &self.message[12..self.end]
    }

    /// Whether the reply is the one that must come. Nothing may be missing from it.
    fn is_answered_by(&self, reply: &[u8]) -> bool {
        let Some(&[_, _, flags, code, 0, 1, a0, a1, ..]) = reply.first_chunk::<12>() else { return false };
        let is_whole = flags & 0x82 == 0x80;
        is_whole
            && code & 0x0f == self.code
            && (flags & 4 != 0) == self.authoritative
            && u16::from_be_bytes([a0, a1]) == self.answers
            && reply.get(12..self.end).is_some_and(|question| question.eq_ignore_ascii_case(self.asked()))
            && self.data.as_ref().is_none_or(|data| first_data(reply, self.end) == Some(data))
    }
}

/// The data of the first record, whose owner is a pointer.
fn first_data(reply: &[u8], at: usize) -> Option<&[u8]> {
    let (fixed, rest) = reply.get(at..)?.split_first_chunk::<12>()?;
    rest.get(..usize::from(u16::from_be_bytes([fixed[10], fixed[11]])))
}

/// The time of the calendar, which the kernel puts on replies.
fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

/// When the kernel had a reply.
fn stamp(message: ControlMessageOwned) -> Option<Duration> {
    match message {
        ControlMessageOwned::ScmTimestampns(time) => Some(time.into()),
        _ => None,
    }
}

/// What came of it.
#[derive(Default)]
struct Result {
    sent: u64,
    answered: u64,
    lost: u64,
    /// When each was asked, since 1970, and how long its reply took, microseconds.
    took: Vec<(Duration, u32)>,
}

struct Loader {
    socket: UdpSocket,
    questions: Vec<Question>,
    next: usize,
    /// By id: which question, and when it was asked, since 1970. None once it is answered.
    open: Vec<Option<(usize, Duration)>>,
    next_id: u16,
    headers: MultiHeaders<SockaddrIn>,
    room: Vec<[u8; REPLY]>,
    result: Result,
}

impl Loader {
    fn new(address: &str, questions: Vec<Question>) -> Loader {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        setsockopt(&socket, sockopt::RcvBufForce, &(32 << 20)).unwrap();
        setsockopt(&socket, sockopt::SndBufForce, &(32 << 20)).unwrap();
        socket.connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Loader {
            socket,
            questions,
            next: 0,
            open: vec![None; 1 << 16],
            next_id: 0,
            headers: MultiHeaders::preallocate(BATCH, Some(nix::cmsg_space!(TimeSpec))),
            room: vec![[0; REPLY]; BATCH],
            result: Result::default(),
        }
    }

    /// The next question with the next id, which is open from now on.
    fn ask(&mut self, now: Duration, out: &mut Vec<u8>) {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        self.open[usize::from(id)] = Some((self.next, now));
        let message = &self.questions[self.next].message;
        out.extend_from_slice(&id.to_be_bytes());
        out.extend_from_slice(&message[2..]);
        self.next = (self.next + 1) % self.questions.len();
    }

    /// Sends the next question.
    fn send(&mut self, message: &mut Vec<u8>) {
        message.clear();
        self.ask(since_1970(), message);
        self.socket.send(message).unwrap();
        self.result.sent += 1;
    }

    /// Sends a train of at most so many questions and says how many it has.
    fn send_train(&mut self, most: usize, train: &mut Vec<u8>) -> usize {
        train.clear();
        let now = since_1970();
        let length = self.questions[self.next].message.len();
        let mut number = 0;
        while number < most.min(BATCH) && self.questions[self.next].message.len() == length {
            self.ask(now, train);
            number += 1;
        }
        let length = u16::try_from(length).unwrap();
        let (slices, cut) = ([IoSlice::new(train)], [ControlMessage::UdpGsoSegments(&length)]);
        // What the kernel does not take is lost, as in a network, and was not sent.
        if sendmsg::<SockaddrIn>(self.socket.as_raw_fd(), &slices, &cut, MsgFlags::empty(), None).is_ok() {
            self.result.sent += number as u64;
        }
        number
    }

    /// Takes what is there, and waits for one reply if it shall. Says how many came.
    fn receive(&mut self, wait: bool, which: impl Fn(&[u8], Option<usize>) -> usize) -> usize {
        let mut buffers: Vec<[IoSliceMut<'_>; 1]> =
            self.room.iter_mut().map(|room| [IoSliceMut::new(room)]).collect();
        let flags = if wait { MsgFlags::MSG_WAITFORONE } else { MsgFlags::MSG_DONTWAIT };
        let received = recvmmsg(self.socket.as_raw_fd(), &mut self.headers, buffers.iter_mut(), flags, None);
        let came: Vec<(usize, Option<Duration>)> = received.map_or_else(
            |_| Vec::new(),
            |all| all.map(|one| (one.bytes, one.cmsgs().unwrap().find_map(stamp))).collect(),
        );
        for (room, &(length, at)) in self.room.iter().zip(&came) {
            let reply = &room[..length];
            let id = usize::from(u16::from_be_bytes([reply[0], reply[1]]));
            let open = self.open[id].take();
            let question = &self.questions[which(reply, open.map(|(question, _)| question))];
            assert!(question.is_answered_by(reply), "wrong: {:?} got {reply:?}", question.message);
            self.result.answered += 1;
            if let (Some((_, since)), Some(at)) = (open, at) {
                let took = at.saturating_sub(since).as_micros();
                self.result.took.push((since, u32::try_from(took).unwrap_or(u32::MAX)));
            }
        }
        came.len()
    }

    /// Keeps so many questions open.
    fn window(&mut self, size: usize, end: Instant) {
        let (mut open, mut last, mut train) = (0, Instant::now(), Vec::new());
        while Instant::now() < end {
            while open + TRAIN <= size {
                open += self.send_train(size - open, &mut train);
            }
            let came = self.receive(false, |_, open| open.expect("nobody asked, or too late"));
            open -= came;
            let look = Instant::now();
            if came > 0 {
                last = look;
            }
            while came == 0 && look.elapsed() < LOOK {
                std::hint::spin_loop();
            }
            if last.elapsed() > LOST {
                self.result.lost += open as u64;
                self.open.fill(None);
                open = 0;
            }
        }
        self.drain();
        // What has not come by now never will.
        self.result.lost += self.open.iter().flatten().count() as u64;
    }

    fn drain(&mut self) {
        let mut last = Instant::now();
        while last.elapsed() < LOST / 4 {
            if self.receive(true, |_, open| open.expect("nobody asked, or too late")) > 0 {
                last = Instant::now();
            }
        }
    }

    /// Asks at a rate. What could not be asked in time, because somebody else had the processor, is not asked: the server would
    /// get it in a crowd, and each of them would wait for the others.
    fn rate(&mut self, per_second: f64, begin: Instant, end: Instant) {
        // It costs every packet of this network a look at the clock, so it is done only where it is needed.
        setsockopt(&self.socket, sockopt::ReceiveTimestampns, &true).unwrap();
        linux::scheduling::precise_timers().unwrap();
        let (mut message, mut past) = (Vec::new(), 0);
        while Instant::now() < end {
            let due = (begin.elapsed().as_secs_f64() * per_second) as u64;
            let behind = (due - past).min(CROWD);
            past = due;
            (0..behind).for_each(|_| self.send(&mut message));
            if self.receive(false, |_, open| open.expect("nobody asked, or too late")) == 0 && behind == 0 {
                std::thread::sleep(PAUSE);
            }
        }
        self.drain();
        self.result.lost = self.result.sent - self.result.answered;
    }

    /// Asks at a rate at which most is lost: ids are used again before an answer can come.
    fn flood(&mut self, per_second: f64, begin: Instant, end: Instant) {
        let by_question: HashMap<Vec<u8>, usize> = self
            .questions
            .iter()
            .enumerate()
            .map(|(number, question)| (question.asked().to_vec(), number))
            .collect();
        // They are equally long, so that the first says where a question ends.
        let end_of_question = self.questions[0].end;
        let which = |reply: &[u8], _: Option<usize>| *by_question.get(&reply[12..end_of_question]).unwrap();
        let mut train = Vec::new();
        while Instant::now() < end {
            let due = (begin.elapsed().as_secs_f64() * per_second) as u64;
            if self.result.sent < due {
                self.send_train(BATCH, &mut train);
            }
            while self.receive(false, which) == BATCH {}
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, queries, seconds, mode, number] = &arguments[..] else {
        panic!("usage: dns_load ADDRESS QUERIES SECONDS window|rate|flood N")
    };
    let text = std::fs::read_to_string(queries).unwrap();
    let questions = text.lines().map(|line| Question::of(line).unwrap_or_else(|| panic!("{line}"))).collect();
    let mut loader = Loader::new(address, questions);
    let (began, begin) = (since_1970().as_secs_f64(), Instant::now());
    let end = begin + Duration::from_secs_f64(seconds.parse().unwrap());
    match mode.as_str() {
        "window" => loader.window(number.parse().unwrap(), end),
        "rate" => loader.rate(number.parse().unwrap(), begin, end),
        "flood" => loader.flood(number.parse().unwrap(), begin, end),
        _ => panic!("no mode {mode}"),
    }
    let Result { sent, answered, lost, took: replies } = loader.result;
    let mut took = BTreeMap::<u128, BTreeMap<u32, u32>>::new();
    for (asked, time) in replies {
        let period = took.entry(asked.as_micros() / PERIOD.as_micros()).or_default();
        *period.entry(time).or_default() += 1;
    }
    let took: Vec<Vec<(u32, u32)>> = took.into_values().map(|period| period.into_iter().collect()).collect();
    let said = serde_json::json!({
        "sent": sent, "answered": answered, "lost": lost, "began": began, "took": took
    });
    println!("{said}");
}
