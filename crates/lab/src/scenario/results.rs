//! The files into which the results of scenarios go.

use crate::replay::{Form, History, HistoryFiles, Output, WriteError};
use crate::scenario::junit;
use crate::scenario::report::Report;
use std::io;
use std::path::PathBuf;

/// Where results are written besides the terminal.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// Verdicts and measured values as JSON.
    pub json: Option<PathBuf>,
    /// The same as JUnit's XML.
    pub junit: Option<PathBuf>,
    /// Everything that was seen.
    pub history: HistoryFiles,
}

/// The same, open.
pub(crate) struct Outputs {
    json: Option<Output>,
    junit: Option<Output>,
    history: Vec<(Form, Output)>,
}

impl Results {
    pub(crate) fn open(&self) -> Result<Outputs, WriteError> {
        Ok(Outputs {
            json: self.json.as_deref().map(Output::open).transpose()?,
            junit: self.junit.as_deref().map(Output::open).transpose()?,
            history: self.history.open()?,
        })
    }
}

impl Outputs {
    /// Whether anybody wants to know more than the verdicts.
    pub(crate) fn want_history(&self) -> bool {
        !self.history.is_empty()
    }

    pub(crate) fn write(&self, report: &Report, history: &History) -> Result<(), WriteError> {
        if let Some(json) = &self.json {
            json.write_with(|| {
                let mut text = serde_json::to_vec_pretty(report)?;
                text.push(b'\n');
                Ok(text)
            })?;
        }
        if let Some(junit) = &self.junit {
            junit.write_with(|| junit::document(report).map(String::into_bytes).map_err(io::Error::other))?;
        }
        self.history.iter().try_for_each(|(form, output)| output.write_with(|| form.text(history)))
    }
}
