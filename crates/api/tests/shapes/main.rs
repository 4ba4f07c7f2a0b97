//! The shape of every document, as programs outside read it: a changed snapshot is a changed promise.
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

mod blackhole;
mod command;
mod continuity;
mod delivery;
mod event;
mod explanation;
mod live;
mod node;
mod order;
mod picture;
mod status;

use terms::{Asn, WallTime};

const WHEN: WallTime = WallTime(1_795_442_400_000);

fn asn(number: u32) -> Asn {
    Asn::try_from(number).unwrap()
}

/// Writes the document, reads it back, and returns the text for the snapshot.
fn json<T>(document: T) -> String
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let text = serde_json::to_string_pretty(&document).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), document);
    text
}
