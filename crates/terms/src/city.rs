//! A table of cities, so that a file can say "Tokyo" instead of coordinates.
//!
//! Coordinates are from GeoNames (CC BY 4.0, <https://www.geonames.org>), rounded to about 100 m.

use crate::GeoPoint;
use std::sync::LazyLock;

/// A city of the built-in table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct City {
    /// Its name in English, such as `New York`.
    pub name: &'static str,
    /// ISO 3166-1 code of its country.
    pub country: &'static str,
    /// Where it lies.
    pub at: GeoPoint,
}

static CITIES: LazyLock<Vec<City>> =
    LazyLock::new(|| include_str!("cities.tsv").lines().filter_map(row).collect());

fn row(line: &'static str) -> Option<City> {
    let mut fields = line.split('\t');
    let (name, country) = (fields.next()?, fields.next()?);
    let at = GeoPoint::new(fields.next()?.parse().ok()?, fields.next()?.parse().ok()?).ok()?;
    Some(City { name, country, at })
}

/// Every city of the table, by name.
pub fn cities() -> &'static [City] {
    &CITIES
}

/// Letters and digits in lower case: `New York`, `new-york` and `newyork` are one city.
fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The city of that name; case, blanks and hyphens do not matter.
pub fn find_city(name: &str) -> Option<City> {
    let wanted = key(name);
    CITIES.iter().find(|city| key(city.name) == wanted).copied()
}

/// Longest text for which a similar one is looked for, bytes: the work grows with it.
const LONGEST_GUESS: usize = 64;

/// The candidate that is spelled most like `written`, for a "did you mean" hint; none when nothing is close.
pub fn nearest_spelling<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > LONGEST_GUESS {
        return None;
    }
    let written = key(written);
    let scored =
        candidates.into_iter().map(|candidate| (edit_distance(&written, &key(candidate)), candidate));
    let (distance, best) = scored.min_by_key(|&(distance, _)| distance)?;
    (distance <= written.chars().count().div_ceil(3)).then_some(best)
}

/// Levenshtein distance over characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_read() {
        assert_eq!(cities().len(), include_str!("cities.tsv").lines().count());
        assert!(cities().len() >= 200);
    }

    #[test]
    fn spelling_of_a_name_does_not_matter() {
        assert_eq!(find_city("sao paulo"), find_city("Sao-Paulo"));
        assert_eq!(find_city("newyork").unwrap().country, "US");
        assert_eq!(find_city("Atlantis"), None);
    }

    #[test]
    fn a_slip_is_guessed_and_nonsense_is_not() {
        let names = || cities().iter().map(|city| city.name);
        assert_eq!(nearest_spelling("Frankfrt", names()), Some("Frankfurt"));
        assert_eq!(nearest_spelling("Qqqqqqqq", names()), None);
        assert_eq!(nearest_spelling(&"Frankfurt ".repeat(7), names()), None);
    }
}
