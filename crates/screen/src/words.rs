//! Times and names as people read them, cut to the room there is.

use api::Output;
use unicode_width::UnicodeWidthChar;

/// Milliseconds: `3.2 ms`, `119 ms`.
pub(crate) fn ms(value: f64) -> String {
    if value < 9.95 { format!("{value:.1} ms") } else { format!("{value:.0} ms") }
}

/// A moment in seconds after the start: `12.3 s`.
pub(crate) fn seconds(at_ms: u64) -> String {
    format!("{}.{} s", at_ms / 1000, at_ms % 1000 / 100)
}

/// `A, B and C`.
pub(crate) fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// `1 client`, `2 clients`.
pub(crate) fn count(number: usize, singular: &str) -> String {
    if number == 1 { format!("1 {singular}") } else { format!("{number} {singular}s") }
}

/// How strongly a site is announced, as the page says it; none if as usual.
pub(crate) fn strength(output: Output) -> Option<&'static str> {
    match output {
        Output::None => Some("not announced"),
        Output::Gshut => Some("last resort"),
        Output::Depref => Some("less preferred"),
        Output::Normal => None,
    }
}

/// How many columns a text takes. What controls a terminal takes none: it is not drawn.
pub(crate) fn width(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// The text in at most so many columns; one that is too long ends in `…`.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut room = columns.saturating_sub(1);
    let fits = |letter: &char| {
        let needed = letter.width().unwrap_or(0);
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        fits
    };
    let kept: String = text.chars().take_while(fits).collect();
    if columns == 0 { kept } else { format!("{kept}…") }
}

/// The text in lines of at most so many columns, broken between words; a word that is too long is cut.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(fit(word, columns)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_never_takes_more_room_than_it_has() {
        assert_eq!(fit("Johannesburg", 12), "Johannesburg");
        assert_eq!(fit("Johannesburg", 8), "Johanne…");
        assert_eq!(fit("東京東京", 5), "東京…");
        assert_eq!((fit("London", 1), fit("London", 0)), ("…".to_owned(), String::new()));
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrap("frankfurt is answered by  newyork", 12), ["frankfurt is", "answered by", "newyork"]);
        assert_eq!(wrap("johannesburg", 4), ["joh…"]);
        assert!(wrap(" ", 4).is_empty());
    }

    #[test]
    fn names_are_listed_as_people_do() {
        let listed = [&[][..], &["A"], &["A", "B"], &["A", "B", "C"]].map(list);
        assert_eq!(listed, ["", "A", "A and B", "A, B and C"]);
        assert_eq!((ms(3.24), ms(9.96), seconds(12_345)), ("3.2 ms".into(), "10 ms".into(), "12.3 s".into()));
    }
}
