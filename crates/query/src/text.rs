//! Octets from elsewhere as text that is safe on a terminal.

use std::fmt::Write;

/// Text in which only printable ASCII stands for itself: every other octet is `\DDD`, as in a zone file (RFC 1035
/// section 5.1), and so are `"` and `\` escaped.
pub fn printable(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for &octet in octets {
        if matches!(octet, b'"' | b'\\') {
            text.push('\\');
        }
        push(&mut text, octet);
    }
    text
}

/// Text that is escaped already, for a zone file: makes sure of it.
pub(crate) fn safe(escaped: &str) -> String {
    let mut text = String::with_capacity(escaped.len());
    escaped.bytes().for_each(|octet| push(&mut text, octet));
    text
}

fn push(text: &mut String, octet: u8) {
    // Writing to a String cannot fail.
    let _ = match octet {
        b' '..=b'~' => text.write_char(char::from(octet)),
        _ => write!(text, "\\{octet:03}"),
    };
}

/// Two digits for each octet.
pub fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(2 * octets.len()), |mut text, octet| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}
