//! A command to a lab.

use crate::json;
use api::*;

#[test]
fn command_and_its_answers() {
    let command = json(Command { kind: FaultKind::PowerCut, target: "site london".into() });
    let done = json(Done { schema: Schema, said: "london has no power".into() });
    let refusal = json(Refusal::because("no site `lodnon`").hint("did you mean `london`?"));
    insta::assert_snapshot!([command, done, refusal].join("\n"));
}
