//! Scenarios: a story of faults in a world of its own, and what must be seen of it.
//!
//! A scenario is a demonstration and a test at once. Its steps drive the world, everything that is seen is recorded,
//! and three kinds of checks judge the record: *functional* ones wait for a condition, *lasting* ones look back on the
//! whole step, *timing* ones compare a measured time with a limit and know how late the machine itself was.
//!
//! ```text
//! command     `catchment lab test`              stage        a running lab
//! engine      plays the steps on a stage, and judges
//! file        a file becomes steps, or every fault of it
//! expectation the sentences of `expect`        crate::fault  the sentences of `do`
//! record      what clients and routers saw      facts        what daemons, hosts and operators know
//! words       what stands in the slots of sentences
//! functional  does a condition hold now?        lasting      was it so all the time?
//! delivered   who received what was sent?
//! moved       what became of connections that routing has moved?
//! timing      what was measured of whom?        verdict      is it the network's, or the machine's?
//! report      verdicts as JSON and on the terminal   junit      the same as JUnit's XML
//! results     the files they go to               reference  the page of the book, made from the tables
//! ```

pub mod command;
pub mod delivered;
pub mod engine;
pub mod expectation;
pub mod facts;
pub mod file;
pub mod functional;
pub mod junit;
pub mod lasting;
pub mod moved;
pub mod record;
pub mod reference;
pub mod report;
pub mod results;
pub mod stage;
pub mod timing;
pub mod verdict;
pub mod words;
