//! `catchment check --negative`: whether each check can fail.

use crate::outcome::Outcome;
use crate::table::{Cell, Table};
use crate::terminal::{Paint, Terminal, Tone};
use crate::words::count;
use anyhow::Context;
use api::Schema;
use config::SiteFile;
use daemon::{CanFail, Proof};
use serde::Serialize;
use std::io::Write;
use terms::{Reason, ServiceName, SiteName};

/// What was found, for people and programs.
#[derive(Serialize)]
struct Report {
    schema: Schema,
    site: SiteName,
    checks: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    service: ServiceName,
    check: String,
    can_fail: Answer,
    reason: Reason,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Yes,
    No,
    Unknown,
}

pub(super) fn run(file: &SiteFile, json: bool, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let proofs = daemon::prove(file).context("the checks cannot be tried on this host")?;
    let report = Report {
        schema: Schema,
        site: file.site.name.clone(),
        checks: proofs.into_iter().map(Row::of).collect(),
    };
    if json {
        terminal.json(&report)?;
    } else {
        let page = report.page(terminal.paint());
        write!(terminal, "{page}")?;
    }
    Ok(report.outcome())
}

impl Row {
    fn of(Proof { service, check, can_fail }: Proof) -> Row {
        let (can_fail, reason) = match can_fail {
            CanFail::Yes(reason) => (Answer::Yes, reason),
            CanFail::No(reason) => (Answer::No, reason),
            CanFail::Unknown(reason) => (Answer::Unknown, reason),
        };
        Row { service, check, can_fail, reason }
    }
}

impl Answer {
    fn cell(self) -> Cell {
        let (word, tone) = match self {
            Answer::Yes => ("yes", Tone::Good),
            Answer::No => ("no", Tone::Bad),
            Answer::Unknown => ("unknown", Tone::Careful),
        };
        Cell::toned(word, tone)
    }
}

impl Report {
    /// One check that cannot fail is one too many; it weighs more than one that could not be tried.
    fn outcome(&self) -> Outcome {
        let is_there = |answer| self.checks.iter().any(|row| row.can_fail == answer);
        if is_there(Answer::No) {
            Outcome::No
        } else if is_there(Answer::Unknown) {
            Outcome::Inconclusive
        } else {
            Outcome::Yes
        }
    }

    fn page(&self, paint: Paint) -> String {
        let mut table = Table::new(["SERVICE", "CHECK", "CAN FAIL", "BECAUSE"]);
        for row in &self.checks {
            let (service, check) = (row.service.to_string(), row.check.clone());
            table.row([service.into(), check.into(), row.can_fail.cell(), row.reason.to_string().into()]);
        }
        let mut page = table.render(paint);
        let useless = self.checks.iter().filter(|row| row.can_fail == Answer::No).count();
        if useless > 0 {
            page.push_str(&format!("\n{} cannot fail, and so protects nobody\n", count(useless, "check")));
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(answers: &[Answer]) -> Report {
        let row = |(number, &can_fail): (usize, &Answer)| Row {
            service: "web".parse().unwrap(),
            check: format!("tcp {number} at 198.18.0.80"),
            can_fail,
            reason: "nobody listens: refused".into(),
        };
        let checks = answers.iter().enumerate().map(row).collect();
        Report { schema: Schema, site: "london".parse().unwrap(), checks }
    }

    #[test]
    fn a_check_that_cannot_fail_is_a_no_and_wins_over_one_that_was_not_tried() {
        use Answer::{No, Unknown, Yes};
        for (answers, outcome) in [
            (&[Yes, Yes][..], Outcome::Yes),
            (&[Yes, Unknown], Outcome::Inconclusive),
            (&[No, Unknown, Yes], Outcome::No),
        ] {
            assert_eq!(report(answers).outcome(), outcome);
        }
        insta::assert_snapshot!(report(&[Yes, No, Unknown]).page(Paint::Plain));
    }
}
