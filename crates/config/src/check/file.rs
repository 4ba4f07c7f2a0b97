//! `file = { path = "/run/job.done", max_age = "10m" }`

use super::Question;
use check::file::Expectation;
use document::Table;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LONGEST_AGE: Duration = Duration::from_secs(400 * 86_400);

/// A look at a file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(super) path: PathBuf,
    expectation: Expectation,
}

impl File {
    pub(super) fn question(&self) -> Question {
        Question::File { path: self.path.clone(), expectation: self.expectation.clone() }
    }
}

pub(super) fn read(table: &Table, directory: &Path) -> Option<File> {
    let path = table.required("path").path();
    let max_age = table.optional("max_age").duration_in(Duration::from_secs(1)..=LONGEST_AGE);
    let contains = table.optional("contains").text();
    let expectation = Expectation {
        max_age: max_age.map(|duration| duration.value),
        contains: contains.map(|text| text.value.to_owned()),
    };
    Some(File { path: directory.join(path?.value), expectation })
}
