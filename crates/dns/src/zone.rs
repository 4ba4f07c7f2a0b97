//! One zone: its file, judged; and its image, ready to be copied into replies.
//!
//! ```text
//!  text -- entries --> tokens -- records --> records -- rules --> names and sets -- image --> Zone
//!                                  |
//!                                  +-- rdata (the `domain` crate)
//! ```
//! Each step adds its faults to one list, and the file is judged to its end.

mod encode;
mod entries;
mod fault;
mod image;
mod rdata;
mod records;
mod rules;

pub use fault::Fault;
pub use image::Zone;
pub(crate) use image::{Found, Shifted};

/// Reads a zone file (RFC 1035 section 5): its name is that of its SOA record.
///
/// # Errors
/// Every fault of the file, in its order. Nothing is served of a file with a fault.
pub fn parse(text: &str) -> Result<Zone, Vec<Fault>> {
    let mut faults = Vec::new();
    let read = records::read(text, &mut faults);
    let content = rules::judge(read, &mut faults);
    match content {
        Some(content) if faults.is_empty() => image::build(content).map_err(|fault| vec![fault]),
        _ => {
            faults.sort();
            Err(faults)
        }
    }
}
