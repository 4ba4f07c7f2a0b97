//! Lasting checks that the record decides: what must be so in every moment of a step. They count what was otherwise, so
//! no lateness of the machine excuses it.

use crate::scenario::expectation::Expectation;
use crate::scenario::record::{Cookie, Record, Sample, Span, Viewpoint};
use crate::scenario::timing::Window;
use crate::scenario::verdict::{Bound, Measurement, Unit};
use terms::{SiteName, Timestamp};

/// What was counted, viewpoint by viewpoint; empty when there was nothing to look at. None for every expectation that
/// the record of a step does not decide.
pub fn count(expectation: &Expectation, record: &Record, window: &Window) -> Option<Vec<Measurement>> {
    let span = window.span();
    Some(match expectation {
        Expectation::EveryClientAnsweredThroughout => {
            record.viewpoints().filter_map(|viewpoint| lost(record, span, viewpoint)).collect()
        }
        Expectation::EveryClientKeepsItsCookieThroughout => {
            record.viewpoints().filter_map(|viewpoint| other_cookies(record, span, viewpoint)).collect()
        }
        Expectation::SiteAnnouncedThroughout { site } => {
            otherwise(site, record.announced(site, span), true).into_iter().collect()
        }
        Expectation::SiteSilentThroughout { site } => {
            otherwise(site, record.announced(site, span), false).into_iter().collect()
        }
        Expectation::SitesAnnouncedThroughout { count } => {
            least_announced(record, span, count.get()).into_iter().collect()
        }
        _ => return None,
    })
}

/// The questions of one viewpoint that nobody answered.
fn lost(record: &Record, span: Span, viewpoint: &Viewpoint) -> Option<Measurement> {
    let samples = record.samples(viewpoint, span);
    let lost = samples.iter().filter(|sample| sample.site().is_none()).count();
    let counted = || Measurement::count(&viewpoint.to_string(), lost, Bound::AtMost, 0, Unit::Lost);
    (!samples.is_empty()).then(counted)
}

/// The answers to one viewpoint with another cookie than it showed, or with none.
fn other_cookies(record: &Record, span: Span, viewpoint: &Viewpoint) -> Option<Measurement> {
    let fates: Vec<Cookie> = record.samples(viewpoint, span).iter().filter_map(Sample::cookie).collect();
    let other = fates.iter().filter(|&&fate| fate != Cookie::Kept).count();
    let counted = || Measurement::count(&viewpoint.to_string(), other, Bound::AtMost, 0, Unit::OtherCookies);
    (!fates.is_empty()).then(counted)
}

/// How many looks found something else than was wanted.
fn otherwise(site: &SiteName, looks: &[(Timestamp, bool)], wanted: bool) -> Option<Measurement> {
    let otherwise = looks.iter().filter(|(_, announced)| *announced != wanted).count();
    let counted = || Measurement::count(site.as_str(), otherwise, Bound::AtMost, 0, Unit::Looks);
    (!looks.is_empty()).then(counted)
}

/// The smallest number of sites that were announced at the same time.
fn least_announced(record: &Record, span: Span, wanted: usize) -> Option<Measurement> {
    let rows: Vec<_> = record.sites_looked_at().map(|site| record.announced(site, span)).collect();
    // Every look is at all sites, so the rows have the same moments.
    let looks = rows.iter().map(|row| row.len()).min()?;
    let at = |look: usize| rows.iter().filter(|row| row[look].1).count();
    let least = (0..looks).map(at).min()?;
    Some(Measurement::count("the world", least, Bound::AtLeast, wanted, Unit::Sites))
}

#[cfg(test)]
mod tests;
