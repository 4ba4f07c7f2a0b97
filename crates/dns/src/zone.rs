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

mod changes;
mod compile;
mod denial;
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
pub use changes::Unchangeable;
pub use fault::Fault;
use fault::{Flaw, Place, Texts};
pub(crate) use rdata::compressed_names;
pub use received::{Received, Unusable};
use std::sync::Arc;
use text::Read;

/// Finds the text of a file that another one includes: the number of that one (0 is the zone file, 1 the first that was
/// included, and so on) and what it calls the file. Says why, where there is none.
pub type Include<'i> = dyn FnMut(usize, &str) -> Result<Arc<str>, String> + 'i;

/// Octets of the longest zone file.
const LONGEST: usize = u32::MAX as usize;

/// Reads a zone file (RFC 1035 section 5): its name is that of its SOA record.
///
/// # Errors
/// Every fault of the file, in its order. Nothing is served of a file with a fault.
pub fn parse(text: &str) -> Result<Zone, Vec<Fault>> {
    parse_with(text, &mut |_, _| Err("only a file can include another one".to_owned()))
}

/// Reads a zone file that may include others.
///
/// # Errors
/// Every fault of the files, file by file. Nothing is served of a zone with a fault.
pub fn parse_with(text: &str, include: &mut Include<'_>) -> Result<Zone, Vec<Fault>> {
    let mut flaws = Vec::new();
    if text.len() > LONGEST {
        flaws.push(Place::default().flaw("the file is longer than 4 GiB", "split the zone into several"));
        return Err(Texts::of("").located(flaws));
    }
    let (read, texts) = text::read(text, include, &mut flaws);
    match compiled(&read, &mut flaws).map(Zone::from_image) {
        Some(Ok(zone)) if flaws.is_empty() => Ok(zone),
        Some(Err(error)) => Err(texts.located(vec![Place::default().flaw(error.to_string(), "report this")])),
        _ => Err(texts.located(flaws)),
    }
}

/// The image of what was read; none when it has flaws.
fn compiled(read: &Read, flaws: &mut Vec<Flaw>) -> Option<Vec<u8>> {
    let authority = rules::find_authority(read, flaws)?;
    let apex = read.records.key(authority.owner());
    let zone = read.records.name(authority);
    rules::judge_owners(read, apex, &zone, flaws);
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
