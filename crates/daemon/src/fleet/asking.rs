//! What a permit machine asks of the store, and what it is told.

use ::fleet::{Connection, Entry, Key, ReplaceError, Store};
use announce::permit::{Input, Record, Revision, Stored, Ticket};
use terms::Reason;

/// A record that somebody wrote.
pub(super) fn decode(entry: &Entry) -> Result<Stored, Reason> {
    let record = Record::decode(&entry.value).map_err(|error| Reason::from(error.to_string()))?;
    Ok(Stored { revision: Revision(entry.revision.0), record })
}

/// What lies in the store.
pub(super) async fn read(store: &impl Store, key: &Key, ticket: Ticket) -> (Option<Connection>, Input) {
    match store.read(key).await {
        Err(error) => (None, Input::Unavailable { ticket, why: error.0 }),
        Ok(reading) => {
            let found = reading.entry.as_ref().map(decode).transpose();
            let input = match found {
                Ok(found) => Input::Stored { ticket, found },
                Err(why) => Input::Garbled { ticket, why },
            };
            (Some(reading.over), input)
        }
    }
}

/// Puts another record there.
pub(super) async fn replace(
    store: &impl Store,
    key: &Key,
    ticket: Ticket,
    expected: Option<Revision>,
    record: &Record,
) -> (Option<Connection>, Input) {
    let expected = expected.map(|revision| ::fleet::Revision(revision.0));
    match store.replace(key, expected, record.encode()).await {
        Ok(written) => {
            (Some(written.over), Input::Replaced { ticket, revision: Revision(written.revision.0) })
        }
        Err(ReplaceError::Conflict) => (None, Input::Conflict { ticket }),
        Err(ReplaceError::Ambiguous(_)) => (None, Input::Ambiguous { ticket }),
        Err(ReplaceError::Unavailable(error)) => (None, Input::Unavailable { ticket, why: error.0 }),
    }
}
