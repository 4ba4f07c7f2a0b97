//! How a site is called where there is room for one character: by a letter, so that its colour is never needed.

use api::Site;
use std::collections::BTreeSet;

/// Silence, and a site that is gone.
pub(crate) const NOBODY: char = '×';
/// Not the nearest site.
pub(crate) const DETOUR: char = '~';
/// A site beyond those that have a letter.
pub(crate) const NAMELESS: char = '#';

/// A letter for each site: one of its city, if another site has not taken it before.
pub(crate) fn letters(sites: &[Site]) -> Vec<char> {
    let mut taken = BTreeSet::new();
    let mut letter_of = |site: &Site| {
        let own =
            site.city.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_uppercase());
        let mut letters = own.chain('A'..='Z').chain('a'..='z');
        let letter = letters.find(|letter| !taken.contains(letter))?;
        taken.insert(letter);
        Some(letter)
    };
    sites.iter().map(|site| letter_of(site).unwrap_or(NAMELESS)).collect()
}
