//! The pictures of a world as they changed, each as what differs from the one before: JSON Merge Patches (RFC 7396).

use api::Picture;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// Pictures that are kept: at three a second, those of more than ten minutes in which something changes all the time.
const MOST: usize = 2_000;

/// The latest pictures, a bounded number of them.
#[derive(Debug)]
pub(crate) struct Pictures {
    /// The oldest picture that is kept.
    first: Map<String, Value>,
    /// What changed since, each with what the patch before has left.
    changes: VecDeque<Box<RawValue>>,
    /// The newest picture.
    last: Map<String, Value>,
    /// Whether there were older ones.
    forgot: bool,
    most: usize,
}

impl Default for Pictures {
    fn default() -> Self {
        Pictures::keeping(MOST)
    }
}

impl Pictures {
    /// None so far, and never more than so many.
    fn keeping(most: usize) -> Self {
        Pictures { first: Map::new(), changes: VecDeque::new(), last: Map::new(), forgot: false, most }
    }

    /// Adds a picture. What somebody might do next is no part of what was.
    pub(crate) fn add(&mut self, picture: &Picture) {
        let mut picture = picture.clone();
        picture.sites.iter_mut().for_each(|site| site.offers.clear());
        picture.cables.iter_mut().for_each(|cable| cable.offers.clear());
        // A picture is an object, and each of its maps has text for keys.
        let Ok(Value::Object(picture)) = serde_json::to_value(picture) else { return };
        if self.last.is_empty() {
            self.first = picture.clone();
        } else if let Ok(change) = to_raw_value(&difference(&self.last, &picture)) {
            self.changes.push_back(change);
        }
        self.last = picture;
        if self.changes.len() >= self.most {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let second = self.changes.pop_front().and_then(|change| serde_json::from_str(change.get()).ok());
        if let Some(second) = second {
            apply(&mut self.first, second);
            self.forgot = true;
        }
    }

    /// The moment of the oldest picture that is kept if there were older ones; otherwise 0.
    pub(crate) fn begins_ms(&self) -> u64 {
        let first = self.first.get("at_ms").and_then(Value::as_u64);
        first.filter(|_| self.forgot).unwrap_or_default()
    }

    /// The first one whole, then every change.
    pub(crate) fn to_vec(&self) -> Vec<Box<RawValue>> {
        if self.first.is_empty() {
            return Vec::new();
        }
        let first = to_raw_value(&self.first).ok();
        first.into_iter().chain(self.changes.iter().cloned()).collect()
    }
}

/// The merge patch that leads from one picture to the next. A picture has no objects for members, so that each member is
/// replaced as a whole.
fn difference(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let gone =
        before.keys().filter(|name| !after.contains_key(*name)).map(|name| (name.clone(), Value::Null));
    let new = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
    gone.chain(new.map(|(name, value)| (name.clone(), value.clone()))).collect()
}

/// Takes one step (RFC 7396 section 2).
fn apply(picture: &mut Map<String, Value>, change: Map<String, Value>) {
    for (name, value) in change {
        match value {
            Value::Null => picture.remove(&name),
            value => picture.insert(name, value),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{Command, Fault, FaultKind, Offer, Output, PictureKind};
    use proptest::prelude::*;
    use terms::{Reason, WallTime};

    fn fault(since_ms: u64) -> Fault {
        Fault { kind: FaultKind::Cut, target: format!("cable {since_ms}"), since_ms }
    }

    fn picture(at_ms: u64, faults: &[u64]) -> Picture {
        let faults = faults.iter().map(|since| fault(*since)).collect();
        Picture { at_ms, faults, ..Picture::empty(PictureKind::Lab, "tiny", WallTime(7)) }
    }

    /// Every picture, put together again as a reader would.
    fn read(pictures: &Pictures) -> Vec<Picture> {
        let mut current = Map::new();
        let read = |change: Box<RawValue>| {
            apply(&mut current, serde_json::from_str(change.get()).unwrap());
            serde_json::from_value(Value::Object(current.clone())).unwrap()
        };
        pictures.to_vec().into_iter().map(read).collect()
    }

    #[test]
    fn what_stays_is_written_once_and_what_goes_is_null() {
        let mut pictures = Pictures::keeping(10);
        pictures.add(&picture(1, &[1]));
        pictures.add(&picture(2, &[]));
        let texts: Vec<String> = pictures.to_vec().iter().map(|text| text.get().to_owned()).collect();
        assert!(texts[0].contains("\"title\":\"tiny\""), "{}", texts[0]);
        assert_eq!(texts[1], r#"{"at_ms":2,"faults":null}"#);
    }

    #[test]
    fn nothing_is_offered_in_what_has_been() {
        let mut shown = picture(1, &[]);
        let command = Command { kind: FaultKind::Drain, target: "site london".to_owned() };
        shown.sites.push(api::Site {
            service: None,
            name: "london".parse().unwrap(),
            city: "London".to_owned(),
            at: None,
            colour: 0,
            state: None,
            output: Output::None,
            reason: Reason::from("it has no power"),
            clients: 0,
            rtt_ms: None,
            offers: vec![Offer { label: "Drain".to_owned(), command }],
        });
        let mut pictures = Pictures::keeping(10);
        pictures.add(&shown);
        assert!(read(&pictures)[0].sites[0].offers.is_empty());
    }

    proptest! {
        #[test]
        fn the_latest_pictures_come_out_as_they_went_in(
            faults in proptest::collection::vec(proptest::collection::vec(0u64..3, 0..3), 0..20),
            most in 1usize..8,
        ) {
            let given: Vec<Picture> =
                faults.iter().zip(1..).map(|(faults, at_ms)| picture(at_ms, faults)).collect();
            let mut pictures = Pictures::keeping(most);
            given.iter().for_each(|picture| pictures.add(picture));
            let kept = read(&pictures);
            prop_assert_eq!(kept.len(), given.len().min(most));
            prop_assert_eq!(&kept[..], &given[given.len() - kept.len()..]);
            let from = kept.first().map_or(0, |first| first.at_ms);
            prop_assert_eq!(pictures.begins_ms(), if given.len() > most { from } else { 0 });
        }
    }
}
