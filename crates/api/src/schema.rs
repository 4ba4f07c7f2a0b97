//! The number that every document begins with.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{self, ObjectBuilder, Type};
use utoipa::{PartialSchema, ToSchema};

/// The version of the JSON, written as `"schema": 1`. It has one value, so that no document can carry a wrong one
/// and no program reads a document that it would misunderstand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schema;

impl Schema {
    /// The version that this program writes and reads.
    pub const NUMBER: u32 = 1;
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(Self::NUMBER)
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            Self::NUMBER => Ok(Schema),
            other => Err(D::Error::custom(format_args!(
                "schema {other}: this program reads schema {} only",
                Self::NUMBER
            ))),
        }
    }
}

impl PartialSchema for Schema {
    fn schema() -> RefOr<schema::Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([Self::NUMBER]));
        number.description(Some("The version of the JSON.")).into()
    }
}

impl ToSchema for Schema {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_schema_is_refused_in_words() {
        assert_eq!(serde_json::to_string(&Schema).unwrap(), "1");
        let error = serde_json::from_str::<Schema>("2").unwrap_err().to_string();
        assert!(error.contains("schema 2: this program reads schema 1 only"), "{error}");
    }
}
