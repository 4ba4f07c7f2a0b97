//! Scenarios: a story of faults in a world of its own, and what must be seen of it.
pub mod expectation;
pub mod words;
