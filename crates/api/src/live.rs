//! What the page is told while it is open.

use crate::{EventRow, Picture};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use terms::Family;

/// One message of the live stream. As a server-sent event, its `event:` field is [`Live::name`] and its `data:`
/// field is the content alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Live {
    /// The whole picture, sent when it changed and when a reader fell behind.
    Picture(Arc<Picture>),
    /// Measurements for the ribbons, in order of time, many in one message.
    Samples(Vec<Sample>),
    /// Something happened.
    Event(EventRow),
}

impl Live {
    /// The name of the server-sent event.
    pub fn name(&self) -> &'static str {
        match self {
            Live::Picture(_) => "picture",
            Live::Samples(_) => "samples",
            Live::Event(_) => "event",
        }
    }

    /// The message that a server-sent event carries; none for one with a name that is not known yet.
    pub fn read(name: &str, content: &[u8]) -> serde_json::Result<Option<Live>> {
        Ok(Some(match name {
            "picture" => Live::Picture(serde_json::from_slice(content)?),
            "samples" => Live::Samples(serde_json::from_slice(content)?),
            "event" => Live::Event(serde_json::from_slice(content)?),
            _ => return Ok(None),
        }))
    }
}

/// One measurement of one ribbon. In JSON it is a row `[ribbon, at_ms, site, rtt_ms, family]`, since there are a
/// thousand a second; `site` and `rtt_ms` are null for silence, `family` is 4, 6 or null.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SampleRow", into = "SampleRow")]
pub struct Sample {
    /// Which ribbon: the client's place in [`Picture::clients`] in a lab; in a daemon the check's place when the
    /// checks of [`Picture::groups`] are counted through.
    pub ribbon: u16,
    /// When the question was sent, ms since the process started.
    pub at_ms: u64,
    /// What came back.
    pub outcome: Outcome,
    /// The family it was asked over, where that is known.
    pub family: Option<Family>,
}

/// What came back for a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// An answer.
    Answered {
        /// Who answered: the place in [`Picture::sites`].
        site: u16,
        /// Round trip, ms.
        rtt_ms: f32,
    },
    /// Nothing in time, or a wrong answer.
    Silent,
}

type SampleRow = (u16, u64, Option<u16>, Option<f32>, Option<u8>);

impl From<Sample> for SampleRow {
    fn from(sample: Sample) -> SampleRow {
        let (site, rtt_ms) = match sample.outcome {
            Outcome::Answered { site, rtt_ms } => (Some(site), Some(rtt_ms)),
            Outcome::Silent => (None, None),
        };
        let family = sample.family.map(|family| match family {
            Family::Ipv4 => 4,
            Family::Ipv6 => 6,
        });
        (sample.ribbon, sample.at_ms, site, rtt_ms, family)
    }
}

impl TryFrom<SampleRow> for Sample {
    type Error = &'static str;
    fn try_from((ribbon, at_ms, site, rtt_ms, family): SampleRow) -> Result<Self, Self::Error> {
        let outcome = match (site, rtt_ms) {
            (Some(site), Some(rtt_ms)) => Outcome::Answered { site, rtt_ms },
            (None, None) => Outcome::Silent,
            _ => return Err("an answer has a site and a round trip, silence has neither"),
        };
        let family = match family {
            None => None,
            Some(4) => Some(Family::Ipv4),
            Some(6) => Some(Family::Ipv6),
            Some(_) => return Err("the family is 4, 6 or null"),
        };
        Ok(Sample { ribbon, at_ms, outcome, family })
    }
}
