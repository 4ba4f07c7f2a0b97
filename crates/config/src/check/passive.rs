//! `passive = { bad = ["REFUSED"], most_percent = 50, least_answers = 100 }`

use super::Question;
use ::dns::ResponseCode;
use check::passive::Expectation;
use document::Table;

/// A look at what the built-in DNS service answers.
#[derive(Clone, Debug)]
pub(crate) struct Passive {
    bad: Vec<ResponseCode>,
    expectation: Expectation,
}

impl Passive {
    pub(super) fn question(&self) -> Question {
        Question::Passive { bad: self.bad.clone(), expectation: self.expectation }
    }
}

pub(super) fn read(table: &Table) -> Option<Passive> {
    let bad = table.optional("bad");
    let names: Vec<String> = ResponseCode::ALL.iter().map(ToString::to_string).collect();
    let codes = || ResponseCode::ALL.iter().zip(&names);
    let named = |text: &str| codes().find(|(_, name)| *name == text).map(|(&code, _)| code);
    let mut read = Vec::new();
    for item in bad.one_or_many() {
        let text = item.text()?;
        match named(text.value) {
            Some(code) => read.push(code),
            None => {
                let hint = format!("it says {}", names.join(", "));
                let message = format!("the built-in DNS service never says `{}`", text.value);
                table.document().fault_with_hint(text.span, message, hint);
            }
        }
    }
    let most_percent = table.optional("most_percent").number_in(0..=99);
    let least_answers = table.optional("least_answers").number_in(1..=u64::MAX);
    Some(Passive {
        bad: if bad.is_given() { read } else { vec![ResponseCode::Refused] },
        expectation: Expectation {
            most_percent: most_percent.map_or(50, |percent| percent.value),
            least_answers: least_answers.map_or(100, |answers| answers.value),
        },
    })
}
