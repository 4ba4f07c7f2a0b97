//! `passive = { bad = ["REFUSED"], most_percent = 50, least_answers = 100 }`

use super::Question;
use ::dns::ResponseCode;
use check::passive::Expectation;
use document::{Document, Spanned, Table};

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
    let codes: Vec<Option<ResponseCode>> =
        bad.one_or_many().iter().map(|item| code(table.document(), item.text()?)).collect();
    let codes: Option<Vec<_>> = codes.into_iter().collect();
    let most_percent = table.optional("most_percent").number_in(0..=99);
    let least_answers = table.optional("least_answers").number_in(1..=u64::MAX);
    Some(Passive {
        bad: if bad.is_given() { codes? } else { vec![ResponseCode::Refused] },
        expectation: Expectation {
            most_percent: most_percent.map_or(50, |percent| percent.value),
            least_answers: least_answers.map_or(100, |answers| answers.value),
        },
    })
}

/// A code that the built-in service may say, by its name.
fn code(document: &Document, name: Spanned<&str>) -> Option<ResponseCode> {
    let code = ResponseCode::ALL.into_iter().find(|code| code.to_string() == name.value);
    if code.is_none() {
        let names: Vec<String> = ResponseCode::ALL.iter().map(ToString::to_string).collect();
        let hint = format!("it says {}", names.join(", "));
        let message = format!("the built-in DNS service never says `{}`", name.value);
        document.fault_with_hint(name.span, message, hint);
    }
    code
}
