//! One zone: its records, judged; and its image, ready to be copied into replies.
//!
//! ```text
//!  zone file -- entries --> tokens -- text --> records -- sort --> names and sets -- rules, digest --> faults
//!                                      |         ^                        |
//!                                      +-- rdata |                        +-- encode, compile --> image --> Zone
//!                                                |
//!                          transfer -- received
//! ```
//! Each step adds its flaws to one list, and the file is judged to its end. [`records`] does not care where records
//! came from. Nothing after [`text`] knows lines.

mod compile;
mod digest;
mod encode;
mod entries;
mod fault;
mod generate;
mod rdata;
mod received;
mod records;
mod rules;
mod text;

pub use crate::image::{ImageError, MAGIC, Zone, ZoneRecords};
pub use fault::Fault;
use fault::{Flaw, Place, located};
pub(crate) use rdata::compressed_names;
pub use received::{Received, Unusable};

/// Octets of the longest zone file.
const LONGEST: usize = u32::MAX as usize;

/// Reads a zone file (RFC 1035 section 5): its name is that of its SOA record.
///
/// # Errors
/// Every fault of the file, in its order. Nothing is served of a file with a fault.
pub fn parse(text: &str) -> Result<Zone, Vec<Fault>> {
    let mut flaws = Vec::new();
    let image = read(text, &mut flaws);
    let zone = image.map(Zone::from_image);
    match zone {
        Some(Ok(zone)) if flaws.is_empty() => Ok(zone),
        Some(Err(error)) => Err(located(text, vec![Place::default().flaw(error.to_string(), "report this")])),
        _ => Err(located(text, flaws)),
    }
}

/// The image of a file; none when it has flaws.
fn read(text: &str, flaws: &mut Vec<Flaw>) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        flaws.push(Place::default().flaw("the file is longer than 4 GiB", "split the zone into several"));
        return None;
    }
    let read = text::read(text, flaws);
    let authority = rules::find_authority(&read, flaws)?;
    let apex = read.records.key(authority.owner());
    let zone = read.records.name(authority);
    rules::judge_owners(&read, apex, &zone, flaws);
    let sorted = read.records.sort(apex);
    rules::judge(&sorted, apex, flaws);
    if !flaws.is_empty() {
        return None;
    }
    flaws.extend(digest::judge(&sorted, &zone));
    match compile::compile(&sorted, zone) {
        Ok(image) => Some(image),
        Err(flaw) => {
            flaws.push(flaw);
            None
        }
    }
}
