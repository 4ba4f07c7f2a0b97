//! A hostile router: a script of bytes that is played to a site's BGP port. It knows no BGP, so that it can say what
//! no speaker would.
//!
//! ```text
//! connect                until the site accepts and sends its OPEN
//! message 01 04 fcff     marker and length are put before: type, then body
//! send ffff 0012         these bytes as they are
//! await 04               reads until a message of this type has come
//! stay 10s               sends a KEEPALIVE every second, reads, until the time is over
//! routes 1000000         announces so many routes, four to a message, as fast as they are taken
//! close
//! ```
//! Bytes are hexadecimal, blanks between them do not matter, `#` begins a comment.

mod table;

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The AS of a hostile router (RFC 5398: for documentation).
pub const ASN: u32 = 64_511;

/// The scripts that a hostile router can play, and what each of them does.
const SCRIPTS: [(&str, &str); 4] = [
    ("broken-updates", include_str!("hostile/broken-updates.txt")),
    ("broken-messages", include_str!("hostile/broken-messages.txt")),
    ("full-table", include_str!("hostile/full-table.txt")),
    ("foreign-routes", include_str!("hostile/foreign-routes.txt")),
];

/// The name of a script that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptName {
    index: usize,
}

impl ScriptName {
    /// Every script there is.
    pub fn all() -> impl Iterator<Item = ScriptName> {
        (0..SCRIPTS.len()).map(|index| ScriptName { index })
    }

    /// The name as text.
    pub fn as_str(self) -> &'static str {
        SCRIPTS[self.index].0
    }

    /// The script's text.
    pub fn text(self) -> &'static str {
        SCRIPTS[self.index].1
    }
}

/// A script that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scripts are {}", ScriptName::all().map(ScriptName::as_str).collect::<Vec<_>>().join(", "))]
pub struct NoSuchScript;

impl FromStr for ScriptName {
    type Err = NoSuchScript;
    fn from_str(text: &str) -> Result<Self, NoSuchScript> {
        ScriptName::all().find(|name| name.as_str() == text).ok_or(NoSuchScript)
    }
}

impl fmt::Display for ScriptName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far a script is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// It is being played.
    #[default]
    Playing,
    /// It was played to its end.
    Over,
    /// It could not be.
    Failed(String),
}

/// A script that is being played, as its director sees it.
#[derive(Debug, Default)]
pub struct Attack {
    /// Ends it.
    pub stop: AtomicBool,
    /// How far it is.
    pub progress: Mutex<Progress>,
}

/// One line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Connect,
    Send(Vec<u8>),
    Await(u8),
    Stay(Duration),
    Routes(u32),
    Close,
}

/// What a hostile router does, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    lines: Vec<Line>,
}

/// A line that says nothing that can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct ScriptError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// A script that could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The site did not do what the script waits for.
    #[error("the site did not {0} in time")]
    Waited(&'static str),
    /// The line before `connect`, or after `close`.
    #[error("the script speaks without a connection")]
    NotConnected,
    /// The connection broke.
    #[error("the connection to the site: {0}")]
    Connection(#[from] io::Error),
    /// Whoever played it lost interest.
    #[error("stopped")]
    Stopped,
}

/// As many prefixes of 24 bits as lie between 20.0.0.0 and 83.255.255.255.
const MOST_ROUTES: u32 = 64 << 16;

const MARKER: [u8; 16] = [0xff; 16];
const HEADER: usize = 19;
const OPEN: u8 = 1;
const KEEPALIVE: u8 = 4;
/// How long the script waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks up from waiting.
const GLANCE: Duration = Duration::from_millis(50);

impl Script {
    /// Reads a script.
    pub fn parse(text: &str) -> Result<Script, ScriptError> {
        let mut lines = Vec::new();
        for (index, written) in text.lines().enumerate() {
            let written = written.split('#').next().unwrap_or_default().trim();
            if !written.is_empty() {
                let line = Line::parse(written).map_err(|why| ScriptError { line: index + 1, why })?;
                lines.push(line);
            }
        }
        Ok(Script { lines })
    }

    /// Plays the script over connections that `connect` opens, until its end or until `stop` is set. Blocks.
    pub fn play(
        &self,
        connect: impl Fn() -> io::Result<TcpStream>,
        stop: &AtomicBool,
    ) -> Result<(), PlayError> {
        let mut player = Player { connect, stop, connection: None };
        self.lines.iter().try_for_each(|line| player.line(line))
    }
}

impl Line {
    fn parse(written: &str) -> Result<Line, String> {
        let (word, rest) = written.split_once(' ').unwrap_or((written, ""));
        match word {
            "connect" => Ok(Line::Connect),
            "close" => Ok(Line::Close),
            "send" => Ok(Line::Send(hex(rest)?)),
            "message" => message(&hex(rest)?).map(Line::Send),
            "await" => match hex(rest)?.as_slice() {
                [kind] => Ok(Line::Await(*kind)),
                _ => Err("`await` takes the type of a message, one byte".to_owned()),
            },
            "stay" => {
                document::parse_duration(rest.trim()).map(Line::Stay).map_err(|error| error.to_string())
            }
            "routes" => match rest.trim().parse() {
                Ok(count @ 1..=MOST_ROUTES) => Ok(Line::Routes(count)),
                _ => Err(format!("`routes` takes a number from 1 to {MOST_ROUTES}")),
            },
            _ => Err(format!("`{word}` is none of connect, message, send, await, stay, routes, close")),
        }
    }
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    match digits {
        Some(digits) if digits.len().is_multiple_of(2) => {
            Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
        }
        _ => Err(format!("`{text}` is not a row of bytes in hexadecimal")),
    }
}

/// A type and a body with the header that belongs to them (RFC 4271 section 4.1).
fn message(kind_and_body: &[u8]) -> Result<Vec<u8>, String> {
    let length = MARKER.len() + 2 + kind_and_body.len();
    match u16::try_from(length) {
        Ok(stated) if length >= HEADER => Ok([&MARKER, &stated.to_be_bytes()[..], kind_and_body].concat()),
        _ => Err("a message has a type and at most 65,516 bytes".to_owned()),
    }
}

struct Player<'a, C> {
    connect: C,
    stop: &'a AtomicBool,
    connection: Option<Connection>,
}

/// A connection and what has come over it but is not a whole message yet.
struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl<C: Fn() -> io::Result<TcpStream>> Player<'_, C> {
    fn line(&mut self, line: &Line) -> Result<(), PlayError> {
        match line {
            Line::Connect => self.until_open(),
            Line::Send(bytes) => Ok(self.connection()?.stream.write_all(bytes)?),
            Line::Await(kind) => self.await_message(*kind),
            Line::Stay(time) => self.stay(*time),
            Line::Routes(count) => self.routes(*count),
            Line::Close => {
                self.connection = None;
                Ok(())
            }
        }
    }

    fn connection(&mut self) -> Result<&mut Connection, PlayError> {
        self.connection.as_mut().ok_or(PlayError::NotConnected)
    }

    /// A speaker may accept a connection and close it at once, because it is not ready for another session yet: only
    /// its OPEN tells that it is.
    fn until_open(&mut self) -> Result<(), PlayError> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(stream) = (self.connect)() {
                stream.set_read_timeout(Some(GLANCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                self.connection = Some(Connection { stream, received: Vec::new() });
                if self.await_message(OPEN).is_ok() {
                    return Ok(());
                }
            }
            self.rest(GLANCE)?;
        }
        Err(PlayError::Waited("open a session"))
    }

    fn await_message(&mut self, kind: u8) -> Result<(), PlayError> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.rest(Duration::ZERO)?;
            if self.connection()?.next_message()? == Some(kind) {
                return Ok(());
            }
        }
        Err(PlayError::Waited("send the message that the script waits for"))
    }

    fn stay(&mut self, time: Duration) -> Result<(), PlayError> {
        let deadline = Instant::now() + time;
        let mut spoken = Instant::now();
        while Instant::now() < deadline {
            self.rest(Duration::ZERO)?;
            let connection = self.connection()?;
            connection.next_message()?;
            if spoken.elapsed() >= Duration::from_secs(1) {
                spoken = Instant::now();
                connection.stream.write_all(&message(&[KEEPALIVE]).unwrap_or_default())?;
            }
        }
        Ok(())
    }

    fn routes(&mut self, count: u32) -> Result<(), PlayError> {
        for batch in table::messages(count) {
            self.rest(Duration::ZERO)?;
            self.connection()?.stream.write_all(&batch)?;
        }
        Ok(())
    }

    fn rest(&self, time: Duration) -> Result<(), PlayError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(PlayError::Stopped);
        }
        std::thread::sleep(time);
        Ok(())
    }
}

impl Connection {
    /// The type of the next whole message; none when none has come within a glance.
    fn next_message(&mut self) -> io::Result<Option<u8>> {
        let mut chunk = [0; 4096];
        if self.whole_message().is_none() {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(io::ErrorKind::ConnectionReset.into()),
                Ok(length) => self.received.extend_from_slice(&chunk[..length]),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                }
                Err(error) => return Err(error),
            }
        }
        let Some((kind, length)) = self.whole_message() else { return Ok(None) };
        self.received.drain(..length);
        Ok(Some(kind))
    }

    /// Type and length of the message that stands first, if all of it is there.
    fn whole_message(&self) -> Option<(u8, usize)> {
        let header = self.received.get(..HEADER)?;
        let length = usize::from(u16::from_be_bytes([header[16], header[17]])).max(HEADER);
        (self.received.len() >= length).then_some((header[18], length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn every_script_can_be_read() {
        for name in ScriptName::all() {
            let script = Script::parse(name.text()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(script.lines.len() > 5, "{name}");
        }
    }

    /// Lengths inside a message are written by hand: count them again.
    #[test]
    fn what_is_meant_to_be_whole_is_whole() {
        let scripts = ScriptName::all().map(|name| Script::parse(name.text()).unwrap());
        let sent: Vec<Vec<u8>> = scripts
            .flat_map(|script| script.lines)
            .filter_map(|line| match line {
                Line::Send(bytes) => Some(bytes),
                Line::Connect | Line::Await(_) | Line::Stay(_) | Line::Routes(_) | Line::Close => None,
            })
            .collect();
        for open in sent.iter().filter(|bytes| bytes[18] == OPEN) {
            assert_eq!(usize::from(open[28]), open[29..].len(), "optional parameters of {open:02x?}");
        }
        for update in sent.iter().filter(|bytes| bytes[18] == 2) {
            let attributes = usize::from(u16::from_be_bytes([update[21], update[22]]));
            let mut prefixes = &update[23 + attributes..];
            while let Some((bits, rest)) = prefixes.split_first() {
                prefixes = &rest[usize::from(bits.div_ceil(8))..];
            }
            assert!(prefixes.is_empty(), "prefixes of {update:02x?}");
        }
    }

    #[test]
    fn a_wrong_line_is_named() {
        let wrong = |text: &str| Script::parse(text).unwrap_err().to_string();
        assert_eq!(wrong("connect\nsend f"), "line 2: `f` is not a row of bytes in hexadecimal");
        assert_eq!(
            wrong("dance"),
            "line 1: `dance` is none of connect, message, send, await, stay, routes, close"
        );
        assert_eq!(wrong("routes 0"), "line 1: `routes` takes a number from 1 to 4194304");
        assert_eq!(wrong("await 0102"), "line 1: `await` takes the type of a message, one byte");
    }

    /// A site that refuses once, then sends its OPEN and echoes one message.
    #[test]
    fn a_script_is_played_to_its_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let site = std::thread::spawn(move || {
            drop(listener.accept().unwrap());
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(&message(&[OPEN, 4]).unwrap()).unwrap();
            let mut heard = vec![0; 20];
            stream.read_exact(&mut heard).unwrap();
            stream.write_all(&heard).unwrap();
            heard
        });
        let script = Script::parse("connect\nmessage 09 aa\nawait 09\nclose").unwrap();
        script.play(|| TcpStream::connect(address), &AtomicBool::new(false)).unwrap();
        let heard = site.join().unwrap();
        assert_eq!((&heard[..16], &heard[16..]), (&MARKER[..], &[0, 20, 9, 0xaa][..]));
    }

    #[test]
    fn a_script_stops_when_it_is_told() {
        let script = Script::parse("connect").unwrap();
        let refuse = || Err(io::ErrorKind::ConnectionRefused.into());
        let stopped = script.play(refuse, &AtomicBool::new(true));
        assert!(matches!(stopped, Err(PlayError::Stopped)));
    }
}
