//! What came of scenarios, as the tools of continuous integration read it: JUnit's XML, as Jenkins, GitLab and others
//! have agreed upon it without anybody writing it down. A scenario is a suite, a check is a case.

use crate::scenario::report::{CheckReport, Report, ScenarioReport};
use crate::scenario::verdict::Verdict;
use quick_junit::{NonSuccessKind, SerializeError, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// The document of a whole command.
pub fn document(report: &Report) -> Result<String, SerializeError> {
    let mut document = quick_junit::Report::new("catchment lab test");
    document.add_test_suites(report.scenarios.iter().map(suite));
    document.to_string()
}

fn suite(scenario: &ScenarioReport) -> TestSuite {
    let mut suite = TestSuite::new(scenario.title.as_str());
    suite.set_time(Duration::from_millis(scenario.took_ms));
    suite.add_property(("file", scenario.file.as_str()));
    suite.add_property(("slack", scenario.slack.to_string().as_str()));
    suite.add_test_cases(scenario.checks.iter().map(|check| case(scenario, check)));
    suite
}

/// One sentence may stand in several steps: the name of a case says in which.
fn case(scenario: &ScenarioReport, check: &CheckReport) -> TestCase {
    let mut case = TestCase::new(format!("step {}: {}", check.step, check.sentence), status(check));
    case.set_classname(scenario.file.as_str());
    let begun =
        check.step.checked_sub(1).and_then(|step| scenario.steps.get(step)).map_or(0, |step| step.at_ms);
    case.set_time(Duration::from_millis(check.at_ms.saturating_sub(begun)));
    case.set_system_out(check.seen.as_str());
    case
}

/// A machine that was too slow to judge has tested nothing: such a case counts as skipped.
fn status(check: &CheckReport) -> TestCaseStatus {
    let mut status = match check.verdict {
        Verdict::Pass => return TestCaseStatus::success(),
        Verdict::Inconclusive => TestCaseStatus::skipped(),
        Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    status.set_type(check.verdict.to_string()).set_message(check.seen.as_str());
    status
}
