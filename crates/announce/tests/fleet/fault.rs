//! Mistakes that the judge must notice. Each bends what goes into the permit machine, what comes out of it, or what
//! lies beside it; the production code holds no switches.

use announce::Wish;
use announce::permit::{Input, Machine, Revision, Speaker, Turn};
use serde_json::{Value, json};

use crate::store::Answer;

/// One mistake, and how the judge puts it.
pub struct Fault {
    pub what: &'static str,
    pub seams: Seams,
}

/// Where a machine touches the world. A fault replaces one of these.
#[derive(Clone, Copy)]
pub struct Seams {
    /// Whether the store compares revisions.
    pub compares: bool,
    /// Whether permits end with the lease.
    pub expires: bool,
    /// What is heard in place of an answer, to a request that expected this revision.
    pub answer: fn(Answer, Option<Revision>) -> Answer,
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
    written: None,
    state: None,
    announced: |announced, _| vec![Input::Announced(announced)],
    hears_wish: |_| true,
    grants: |_, _, _| false,
};

/// Who was out of contact trusts what it reads. A storm seldom has all that this needs; a test of its own does.
pub const TRUSTING: Seams =
    Seams { state: Some(|machine| machine["sight"]["greeted"] = json!(true)), ..SOUND };

pub const FAULTS: [Fault; 13] = [
    Fault {
        what: "an ambiguous answer is taken for a yes",
        seams: Seams { answer: ambiguous_is_done, ..SOUND },
    },
    Fault { what: "a permit ends with the lease", seams: Seams { expires: true, ..SOUND } },
    Fault {
        what: "charges take no slot",
        seams: Seams {
            grants: |wish, machine, _| {
                let record = machine.record();
                wish == Wish::Ask && record.holders().count() < number(record.slots())
            },
            ..SOUND
        },
    },
    Fault {
        what: "who is left is counted, and then leave is taken",
        seams: Seams { grants: |wish, machine, _| wish == Wish::Ask && machine.record().free() > 0, ..SOUND },
    },
    Fault { what: "the record is replaced without a compare", seams: Seams { compares: false, ..SOUND } },
    Fault {
        what: "a site of several hosts takes no slot",
        seams: Seams {
            grants: |wish, machine, speaker| {
                let member = machine.record().member(&speaker.site);
                wish == Wish::Ask && member.is_some_and(|member| member.hosts().len() > 1)
            },
            ..SOUND
        },
    },
    Fault {
        what: "two hosts leave, each relying on the other",
        seams: Seams {
            grants: |wish, machine, speaker| {
                let member = machine.record().member(&speaker.site);
                let mut others = member.iter().flat_map(|member| member.hosts().iter());
                wish == Wish::Ask && others.any(|(name, line)| *name != speaker.host && line.stands)
            },
            ..SOUND
        },
    },
    Fault {
        what: "a restart forgets the own permit",
        seams: Seams { written: Some(forget_own_permit), ..SOUND },
    },
    Fault {
        what: "somebody else's charge is cleared",
        seams: Seams { written: Some(clear_charges), ..SOUND },
    },
    Fault {
        what: "a permit is freed before its use ends",
        seams: Seams { announced: freed_when_used, ..SOUND },
    },
    Fault {
        what: "leave is used before the store has answered",
        seams: Seams { state: Some(|machine| machine["held"] = machine["asks"].clone()), ..SOUND },
    },
    Fault {
        what: "a host that announces nothing says that it stands",
        seams: Seams { state: Some(|machine| machine["announced"] = json!(true)), ..SOUND },
    },
    Fault {
        what: "a permit is never freed",
        seams: Seams { hears_wish: |wish| wish != Wish::Release, ..SOUND },
    },
];

fn number(number: u32) -> usize {
    usize::try_from(number).unwrap()
}

fn ambiguous_is_done(answer: Answer, expected: Option<Revision>) -> Answer {
    match answer {
        Answer::Ambiguous => Answer::Replaced(Revision(expected.map_or(11, |revision| revision.0 + 1))),
        other => other,
    }
}

/// Every member with its name.
fn members(record: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    record["members"].as_object_mut().unwrap().iter_mut()
}

fn hosts(member: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    member["hosts"].as_object_mut().unwrap().iter_mut()
}

fn come_back(member: &mut Value) {
    member.as_object_mut().unwrap().remove("away");
    if let Some((_, host)) = hosts(member).next() {
        host["stands"] = json!(true);
    }
}

fn forget_own_permit(record: &mut Value, speaker: &Speaker, life: u32) {
    let own = members(record).find(|(site, _)| **site == speaker.site.as_str());
    let with_permit = own.filter(|(_, member)| life > 1 && member["away"]["cause"] == "permit");
    if let Some((_, member)) = with_permit {
        come_back(member);
    }
}

fn clear_charges(record: &mut Value, speaker: &Speaker, _: u32) {
    let others = members(record).filter(|(site, _)| **site != speaker.site.as_str());
    others
        .filter(|(_, member)| member["away"]["cause"] == "charge")
        .for_each(|(_, member)| come_back(member));
}

/// The wish gets a number that no later one reaches, so that it stays the last word.
fn freed_when_used(announced: bool, _: u32) -> Vec<Input> {
    if announced {
        return vec![Input::Announced(true)];
    }
    vec![Input::Announced(true), Input::Wish { wish: Wish::Release, turn: Turn(u64::MAX) }]
}
