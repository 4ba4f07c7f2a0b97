//! The worlds that the program brings along.

/// The names of the worlds that the program brings along, and their files.
pub const BUILT_IN: [(&str, &str); 2] = [
    ("earth", include_str!("../../../../worlds/earth.toml")),
    ("tiny", include_str!("../../../../worlds/tiny.toml")),
];

/// The file of a world that the program brings along.
pub fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
