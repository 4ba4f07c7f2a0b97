//! Reading a recording and doing it all again.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Read};
use terms::{Reason, Timestamp};

use crate::Header;
use crate::line::{Line, Numbered, SCHEMA, What};
use crate::machine::{Replayed, load};

/// The longest line that is read, in octets.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

/// Begins a replay: reads the header. The machines of the recording are made and told what they were told, one line
/// with each step of the iterator, which ends behind the first fault.
pub fn replay<R: BufRead>(reader: R) -> Result<Replay<R>, ReplayError> {
    let mut lines = Lines { reader, number: 0 };
    let line =
        lines.next().and_then(|line| line.ok_or(Fault::Empty)).map_err(|fault| lines.at_fault(fault))?;
    let header = read_header(&line).map_err(|fault| lines.at_fault(fault))?;
    Ok(Replay { header, lines, machines: BTreeMap::new(), seq: 0, ended: false })
}

/// A recording being replayed.
pub struct Replay<R> {
    header: Header,
    lines: Lines<R>,
    machines: BTreeMap<Key, Box<dyn Replayed>>,
    seq: u64,
    ended: bool,
}

/// What one line of the recording led to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Its place in the order of everything that the process told its machines.
    pub seq: u64,
    /// When it was, in nanoseconds of the process's clock.
    pub at: Timestamp,
    /// The core of the machine.
    pub core: String,
    /// The machine's name within its core.
    pub instance: String,
    /// What happened.
    #[serde(flatten)]
    pub happened: Happened,
}

/// What happened to a machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happened {
    /// It begins here as it was saved.
    Began,
    /// So many of its inputs were not recorded.
    Lost(u64),
    /// It was told something and wanted things done.
    Told {
        /// What it was told.
        input: Value,
        /// What it wanted done, in this order.
        outputs: Vec<Value>,
    },
}

/// A recording that cannot be replayed any further.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct ReplayError {
    /// Counted from 1.
    pub line: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The reader failed.
    #[error("cannot read it: {0}")]
    Read(io::Error),
    /// There is no header, nor anything else.
    #[error("the file is empty: a recording begins with a header")]
    Empty,
    /// The first line is no header.
    #[error("this is not a recording: its first line is no header ({0})")]
    NoHeader(Reason),
    /// The recording is in a language that this program does not know.
    #[error(
        "the recording has schema {0}, this program reads schema {SCHEMA}: use the version that wrote it"
    )]
    Schema(u64),
    /// More octets than a line has.
    #[error("the line is longer than {LONGEST_LINE} octets")]
    TooLong,
    /// The file ends within it.
    #[error("the line is cut off: the process ended while it was written; everything before it is replayed")]
    CutOff,
    /// Not what a line looks like.
    #[error("this is no line of a recording: {0}")]
    Malformed(Reason),
    /// Not behind the line before.
    #[error(
        "seq is {found}, but must be greater than {before}: lines are missing, doubled or in another order"
    )]
    Order {
        /// Of this line.
        found: u64,
        /// Of the line before.
        before: u64,
    },
    /// A machine that this program does not have.
    #[error("this program has no core `{0}`: use the version that wrote the recording")]
    UnknownCore(Reason),
    /// A saved machine that cannot be read.
    #[error("the saved machine {machine} cannot be read: {reason}; use the version that wrote the recording")]
    Machine {
        /// Its core and its name.
        machine: Reason,
        /// Why.
        reason: Reason,
    },
    /// An input for a machine that did not begin.
    #[error("{machine} is told something before it begins: lines are missing")]
    NotBegun {
        /// Its core and its name.
        machine: Reason,
    },
    /// An input that the machine does not know.
    #[error("{machine} does not understand its input: {reason}; use the version that wrote the recording")]
    Input {
        /// Its core and its name.
        machine: Reason,
        /// Why.
        reason: Reason,
    },
}

/// The words of a fault. They may quote the file, which nobody vouches for: a [`Reason`] is safe to show.
fn words(error: &serde_json::Error) -> Reason {
    // A line of the recording is all that the parser sees.
    Reason::from(error.to_string().replace(" at line 1 column ", ", column "))
}

impl<R> Replay<R> {
    /// Whose recording it is.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn step(&mut self, line: &str) -> Result<Step, Fault> {
        let numbered = serde_json::from_str(line).map_err(|error| Fault::Malformed(words(&error)))?;
        let Numbered { seq, line: Line { at, core, instance, what } } = numbered;
        if seq <= self.seq {
            return Err(Fault::Order { found: seq, before: self.seq });
        }
        self.seq = seq;
        let key = (core, instance);
        let happened = match what {
            What::Begin(saved) => {
                self.machines.insert(key.clone(), begin(&key, saved)?);
                Happened::Began
            }
            What::Lost(inputs) => {
                self.machines.remove(&key);
                Happened::Lost(inputs)
            }
            What::Input(input) => {
                let outputs = match self.machines.get_mut(&key) {
                    Some(machine) => machine.replay(input.clone(), at),
                    None => return Err(Fault::NotBegun { machine: name(&key) }),
                };
                let outputs =
                    outputs.map_err(|error| Fault::Input { machine: name(&key), reason: words(&error) })?;
                Happened::Told { input, outputs }
            }
        };
        let (core, instance) = key;
        Ok(Step { seq, at, core, instance, happened })
    }
}

/// A machine's core and its own name.
type Key = (String, String);

fn name((core, instance): &Key) -> Reason {
    Reason::from(format!("{core}/{instance}"))
}

fn begin(key: &Key, saved: Value) -> Result<Box<dyn Replayed>, Fault> {
    match load(&key.0, saved) {
        None => Err(Fault::UnknownCore(Reason::from(&key.0))),
        Some(Err(error)) => Err(Fault::Machine { machine: name(key), reason: words(&error) }),
        Some(Ok(machine)) => Ok(machine),
    }
}

impl<R: BufRead> Iterator for Replay<R> {
    type Item = Result<Step, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let step = match self.lines.next() {
            Ok(None) => return None,
            Ok(Some(line)) => self.step(&line),
            Err(fault) => Err(fault),
        };
        self.ended = step.is_err();
        Some(step.map_err(|fault| self.lines.at_fault(fault)))
    }
}

impl<R> fmt::Debug for Replay<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Replay { header, lines, machines, seq, ended } = self;
        f.debug_struct("Replay")
            .field("header", header)
            .field("line", &lines.number)
            .field("machines", &machines.len())
            .field("seq", seq)
            .field("ended", ended)
            .finish()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = Reason::from(format!("{}/{}", self.core, self.instance));
        let seconds = self.at.since(Timestamp::ZERO).as_secs_f64();
        write!(f, "{:>6} {seconds:>12.6} {machine} ", self.seq)?;
        match &self.happened {
            Happened::Began => f.write_str("begins"),
            Happened::Lost(inputs) => write!(f, "{inputs} inputs were not recorded"),
            Happened::Told { input, outputs } => {
                write!(f, "<- {input}")?;
                outputs.iter().try_for_each(|output| write!(f, "\n{:22}-> {output}", ""))
            }
        }
    }
}

fn read_header(line: &str) -> Result<Header, Fault> {
    let no_header = |error: serde_json::Error| Fault::NoHeader(words(&error));
    let Language { schema } = serde_json::from_str(line).map_err(no_header)?;
    if schema != u64::from(SCHEMA) {
        return Err(Fault::Schema(schema));
    }
    serde_json::from_str(line).map_err(no_header)
}

/// What the header of every schema has.
#[derive(Deserialize)]
#[serde(expecting = "an object with a schema")]
struct Language {
    schema: u64,
}

/// Lines of bounded length, counted.
struct Lines<R> {
    reader: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line without its end; nothing behind the last one.
    fn next(&mut self) -> Result<Option<String>, Fault> {
        let mut line = Vec::new();
        self.number += 1;
        let octets =
            (&mut self.reader).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(Fault::Read)?;
        if octets == 0 {
            return Ok(None);
        }
        if line.pop() != Some(b'\n') {
            return Err(if octets as u64 == LONGEST_LINE { Fault::TooLong } else { Fault::CutOff });
        }
        let not_text = |error: std::string::FromUtf8Error| {
            Fault::Read(io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
        };
        String::from_utf8(line).map(Some).map_err(not_text)
    }
}

impl<R> Lines<R> {
    fn at_fault(&self, fault: Fault) -> ReplayError {
        ReplayError { line: self.number, fault }
    }
}
