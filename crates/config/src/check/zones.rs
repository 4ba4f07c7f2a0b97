//! `zones = { signatures = "72h" }`: whether what the built-in DNS service serves is still good.

use super::Question;
use check::zones::Expectation;
use document::Table;
use std::time::Duration;

/// Default of `signatures`: zones are signed anew days before that.
const SIGNATURES: Duration = Duration::from_secs(24 * 3600);
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// A look at the zones of the built-in DNS service.
#[derive(Clone, Debug)]
pub(crate) struct Zones(Expectation);

impl Default for Zones {
    fn default() -> Self {
        Zones(Expectation { signatures: SIGNATURES })
    }
}

impl Zones {
    pub(super) fn question(&self) -> Question {
        Question::Zones(self.0)
    }
}

pub(super) fn read(table: &Table) -> Option<Zones> {
    let signatures = table.optional("signatures");
    if !signatures.is_given() {
        return Some(Zones::default());
    }
    let signatures = signatures.duration_in(Duration::ZERO..=LONGEST)?.value;
    Some(Zones(Expectation { signatures }))
}
