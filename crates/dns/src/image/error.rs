//! Why octets are not taken up as an image.

/// What is wrong with an image, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It begins otherwise.
    #[error("this is no image of a zone: make one with `catchment dns compile`")]
    NoImage,
    /// Another release made it.
    #[error("the image has layout {found}, this program knows {known}: compile the zone again")]
    Version {
        /// Its layout.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// It was cut, or something was added.
    #[error("the image has {found} octets instead of {wanted}: copy it again, or compile the zone again")]
    Length {
        /// What its head says.
        wanted: u64,
        /// What is there.
        found: u64,
    },
    /// The checksum is wrong.
    #[error("the image is damaged, its checksum does not match: copy it again, or compile the zone again")]
    Damaged,
    /// The checksum is right, but what it says makes no sense.
    #[error(
        "the image contradicts itself, so it was not made by `catchment dns compile`: compile the zone again"
    )]
    Malformed,
}
