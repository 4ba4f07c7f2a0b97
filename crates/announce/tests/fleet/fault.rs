//! Mistakes that the judge must notice. Each bends what goes into the permit machine, what comes out of it, or what
//! lies beside it; the production code holds no switches.

use announce::Wish;
use announce::permit::{Input, Machine, Revision, Speaker};
use serde_json::Value;

use crate::store::Answer;

/// Where a machine touches the world. A fault replaces one of these.
#[derive(Clone, Copy)]
pub struct Seams {
    /// Whether the store compares revisions.
    pub compares: bool,
    /// Whether permits end with the lease.
    pub expires: bool,
    /// What is heard in place of an answer, to a request that expected this revision.
    pub answer: fn(Answer, Option<Revision>) -> Answer,
    /// What is seen of a record.
    pub read: Option<fn(&mut Value, &Speaker, u32)>,
    /// What is written in place of a record, by which life of the process.
    pub written: Option<fn(&mut Value, &Speaker, u32)>,
    /// What becomes of the machine after every step.
    pub state: Option<fn(&mut Value)>,
    /// What is told in place of whether the host announces.
    pub announced: fn(bool, u32) -> Vec<Input>,
    /// Whether a wish is heard.
    pub hears_wish: fn(Wish) -> bool,
    /// Whether leave is given without asking the store.
    pub grants: fn(Wish, &Machine, &Speaker) -> bool,
}

/// Nothing is bent.
pub const SOUND: Seams = Seams {
    compares: true,
    expires: false,
    answer: |answer, _| answer,
    read: None,
    written: None,
    state: None,
    announced: |announced, _| vec![Input::Announced(announced)],
    hears_wish: |_| true,
    grants: |_, _, _| false,
};
