//! What one machine keeps for its next process, as values of types.

use crate::{Embedded, Key, Reading, ReplaceError, Store, Unavailable};
use serde::Serialize;
use serde::de::DeserializeOwned;
use terms::Reason;

/// Why what was kept cannot be recalled.
#[derive(Debug, thiserror::Error)]
pub enum RecallError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] Unavailable),
    /// It is there, and not what this program understands.
    #[error("what was kept as `{key}` is not understood: {source}")]
    Strange {
        /// What it was kept as.
        key: Key,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// The value that was kept as `key` last; none if there never was one.
pub async fn recall<T: DeserializeOwned>(store: &Embedded, key: &Key) -> Result<Option<T>, RecallError> {
    let Reading { entry, .. } = store.read(key).await?;
    let value = entry.map(|entry| serde_json::from_slice(&entry.value)).transpose();
    value.map_err(|source| RecallError::Strange { key: key.clone(), source })
}

/// Keeps `value` as `key`, in place of what was kept before. When this returns it is on disk.
pub async fn keep<T: Serialize>(store: &Embedded, key: &Key, value: &T) -> Result<(), ReplaceError> {
    let json = serde_json::to_vec(value);
    let json = json.map_err(|error| Unavailable(Reason::from(error.to_string())))?;
    let standing = store.read(key).await?.entry.map(|entry| entry.revision);
    store.replace(key, standing, json).await.map(drop)
}
