//! What every machine of a process was told, kept so that an incident can be replayed.
//!
//! A machine decides by its inputs alone, so its inputs are all there is to keep. A recording is JSON, one line each:
//!
//! ```text
//! {"schema":4,"version":"0.1.0","site":"london","zero":1764000000000}          the header
//! {"seq":1,"at":5000,"core":"announce","instance":"anycast","begin":{ … }}     the whole machine, before what follows
//! {"seq":2,"at":5000,"core":"announce","instance":"anycast","input":{ … }}     what it was told then
//! ```
//!
//! `seq` is the order in which the process told its machines, `at` is in nanoseconds since `zero`, the wall-clock
//! time in milliseconds. A saved machine is its settings, its seed and its state, so a file that starts in the middle
//! of a machine's life replays like one from its start. It is written on the thread of the decisions, so it has to be small:
//! a machine that remembers much asks to be told what follows from it, and leaves the rest out.
//!
//! ```text
//!   drivers                                            writer thread
//!   Track::note ──┐   at most 1024 lines wait     ┌──> recording.jsonl      up to its limit,
//!   Track::note ──┼──────> queue ─────────────────┤    recording.jsonl.1    then it becomes this one
//!   Track::note ──┘   full: the line is lost,     └──> a call about every trouble
//!                     the machine begins anew
//! ```
//!
//! Recording never delays a decision: a driver that finds the queue full drops its line, and the next line of that
//! machine is the whole machine again, with the number of lines lost. A new file makes every machine begin anew, too.
//! So whatever was lost, every line of a file replays to exactly what the process did ([`replay`]).
#![forbid(unsafe_code)]

mod line;
mod machine;
mod recorder;
mod replay;
mod writer;

pub use line::Header;
pub use machine::Recorded;
pub use recorder::{CreateError, Recorder, Track, Trouble};
pub use replay::{Fault, Happened, Replay, ReplayError, Step, replay};
