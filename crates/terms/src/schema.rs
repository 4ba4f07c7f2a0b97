//! How the words of the field look in JSON, for the OpenAPI document. (Records and enums derive it where they stand.)

use crate::{
    Asn, CollectorName, Community, ExtendedCommunity, GroupName, HostName, LargeCommunity, PeerName, Prefix,
    Reason, ServiceName, SiteName, WallTime,
};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// Words that are written as text.
macro_rules! texts {
    ($($name:ident: $about:literal, $example:literal;)+) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String);
                text.description(Some($about)).examples([$example]).into()
            }
        }
        impl ToSchema for $name {}
    )+};
}

texts! {
    SiteName: "A site: a label of a-z, 0-9 and `-`, at most 63 characters.", "london";
    HostName: "A machine of a site: a label of a-z, 0-9 and `-`, at most 63 characters.", "lon-1";
    PeerName: "A BGP neighbour: a label of a-z, 0-9 and `-`, at most 63 characters.", "transit-a";
    CollectorName: "A BMP collector: a label of a-z, 0-9 and `-`, at most 63 characters.", "collector-a";
    ServiceName: "A service: a label of a-z, 0-9 and `-`, at most 63 characters.", "dns";
    GroupName: "An announcement group: a label of a-z, 0-9 and `-`, at most 63 characters.", "dns";
    Prefix: "A block of addresses whose host bits are zero.", "198.18.0.0/24";
    Reason: "Why, in plain words: one line of at most 256 characters.", "3 passes in a row";
    Community: "A standard community (RFC 1997), `asn:value`.", "64500:80";
    LargeCommunity: "A large community (RFC 8092), `asn:value:value`.", "64500:1:80";
}

impl PartialSchema for ExtendedCommunity {
    fn schema() -> RefOr<Schema> {
        let octet = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(255));
        let octets = ArrayBuilder::new().items(octet).min_items(Some(8)).max_items(Some(8));
        octets.description(Some("An extended community (RFC 4360): its eight octets.")).into()
    }
}
impl ToSchema for ExtendedCommunity {}

impl PartialSchema for Asn {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(u32::MAX));
        number.description(Some("An autonomous system number (RFC 6793).")).examples([64500]).into()
    }
}
impl ToSchema for Asn {}

impl PartialSchema for WallTime {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        let format = SchemaFormat::KnownFormat(KnownFormat::Int64);
        number.format(Some(format)).description(Some("Milliseconds since 1970-01-01T00:00:00Z.")).into()
    }
}
impl ToSchema for WallTime {}
