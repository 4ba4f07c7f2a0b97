//! Cuts a zone file into entries and an entry into tokens (RFC 1035 section 5.1), keeping the place of each.
//!
//! An entry is a line, or several that parentheses join. Every entry is cut on its own, so that a fault in one does
//! not hide the next.

use super::fault::{Flaw, Place};

/// [`char::REPLACEMENT_CHARACTER`], which stands for octets of the file that are no text.
const UNREADABLE: &[u8] = "\u{fffd}".as_bytes();
const UNREADABLE_FIRST: u8 = UNREADABLE[0];

/// A run of characters without a blank outside quotes, as it is written.
#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) place: Place,
}

/// The entries of a file, in its order.
pub(super) struct Entries<'a> {
    text: &'a str,
    /// Where the text begins.
    base: Place,
    at: usize,
}

impl<'a> Entries<'a> {
    pub(super) fn of(text: &'a str, base: Place) -> Self {
        Entries { text, base, at: 0 }
    }

    /// Cuts the next entry, a directive or a record, into `tokens`, of which there will be one at least; and says
    /// whether blanks come first, so that the owner is that of the record before.
    pub(super) fn next(&mut self, tokens: &mut Vec<Token<'a>>) -> Option<Result<bool, Flaw>> {
        while self.at < self.text.len() {
            tokens.clear();
            match self.entry(tokens) {
                Ok(_) if tokens.is_empty() => {}
                Ok(indented) => return Some(Ok(indented)),
                Err(flaw) => {
                    self.skip_line();
                    return Some(Err(flaw));
                }
            }
        }
        None
    }

    fn octet(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn octet_after(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at + 1).copied()
    }

    fn place(&self) -> Place {
        Place(self.base.0 + self.at as u32) // longer texts are refused
    }

    fn skip_line(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|&octet| octet == b'\n').unwrap_or(rest.len());
    }

    /// Reads up to the end of the entry; there are no tokens on a blank line or one with a comment alone.
    fn entry(&mut self, tokens: &mut Vec<Token<'a>>) -> Result<bool, Flaw> {
        let indented = matches!(self.octet(), Some(b' ' | b'\t'));
        // How many parentheses are open, and where the first of them is.
        let (mut depth, mut opened) = (0u32, Place::default());
        while let Some(octet) = self.octet() {
            match octet {
                b';' => self.skip_line(),
                b'(' => {
                    if depth == 0 {
                        opened = self.place();
                    }
                    depth += 1;
                    self.at += 1;
                }
                b')' => {
                    let place = self.place();
                    self.at += 1;
                    depth = depth
                        .checked_sub(1)
                        .ok_or_else(|| place.flaw("`)` closes nothing", "remove it or open it with `(`"))?;
                }
                b'\n' if depth == 0 => {
                    self.at += 1;
                    return Ok(indented);
                }
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                _ => tokens.push(self.token()?),
            }
        }
        match depth {
            0 => Ok(indented),
            _ => Err(opened.flaw("`(` is never closed", "close it with `)` after the record's last field")),
        }
    }

    fn token(&mut self) -> Result<Token<'a>, Flaw> {
        let (start, place) = (self.at, self.place());
        let mut quote: Option<Place> = None;
        while let Some(octet) = self.octet() {
            match octet {
                b'\n' => break,
                b' ' | b'\t' | b'\r' | b'(' | b')' | b';' if quote.is_none() => break,
                b'"' => quote = if quote.is_none() { Some(self.place()) } else { None },
                // What follows means nothing; the rest of a longer character never does.
                b'\\' if self.octet_after().is_some_and(|next| !matches!(next, b'\n' | UNREADABLE_FIRST)) => {
                    self.at += 1
                }
                UNREADABLE_FIRST if self.text.as_bytes()[self.at..].starts_with(UNREADABLE) => {
                    return Err(self.place().flaw(
                        "an octet that is no UTF-8, outside of a comment",
                        "write it as `\\` and its three decimal digits, or save the file as UTF-8",
                    ));
                }
                _ => {}
            }
            self.at += 1;
        }
        match quote {
            None => Ok(Token { text: &self.text[start..self.at], place }),
            Some(place) => {
                Err(place
                    .flaw("the quote is not closed on its line", "end the text with `\"` on the same line"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::Texts;
    use super::*;
    use proptest::prelude::*;

    fn each(text: &str, mut look: impl FnMut(Result<(bool, &[Token<'_>]), Flaw>)) {
        let (mut entries, mut tokens) = (Entries::of(text, Place::default()), Vec::new());
        while let Some(entry) = entries.next(&mut tokens) {
            look(entry.map(|indented| (indented, &tokens[..])));
        }
    }

    fn shown(text: &str) -> Vec<String> {
        let place = |place: Place| {
            let fault = &Texts::of(text).located(vec![place.flaw("", "")])[0];
            format!("{}:{}", fault.line, fault.column)
        };
        let mut shown = Vec::new();
        each(text, |entry| {
            shown.push(match entry {
                Ok((indented, tokens)) => {
                    let tokens: Vec<_> =
                        tokens.iter().map(|token| format!("{}:{}", place(token.place), token.text)).collect();
                    format!("{}{}", if indented { "> " } else { "" }, tokens.join(" "))
                }
                Err(flaw) => format!("! {}: {}", place(flaw.place), flaw.message),
            });
        });
        shown
    }

    #[test]
    fn parentheses_join_lines_and_comments_vanish() {
        let text = "$TTL 60 ; a minute\n\n@ SOA a b ( 1 ; serial\n  2 )\n\tNS ns\n";
        assert_eq!(
            shown(text),
            ["1:1:$TTL 1:6:60", "3:1:@ 3:3:SOA 3:7:a 3:9:b 3:13:1 4:3:2", "> 5:2:NS 5:5:ns"]
        );
    }

    #[test]
    fn quotes_and_escapes_hide_what_they_hold() {
        assert_eq!(shown(r#"a TXT "x ; (y" b\;c"d e"f"#), [r#"1:1:a 1:3:TXT 1:7:"x ; (y" 1:16:b\;c"d e"f"#]);
        assert_eq!(shown("ä TXT \"ü\"\n"), ["1:1:ä 1:3:TXT 1:7:\"ü\""]);
    }

    #[test]
    fn a_fault_does_not_hide_the_next_line() {
        let text = "a TXT \"open\nb A 1\n) c\nd A ( 2\n";
        let expected = [
            "! 1:7: the quote is not closed on its line",
            "2:1:b 2:3:A 2:5:1",
            "! 3:1: `)` closes nothing",
            "! 4:5: `(` is never closed",
        ];
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn what_is_no_text_stays_in_comments() {
        let text = "; \u{fffd}\na A 1 ; \u{fffd}\nb TXT \"x\\\u{fffd}y\"\nc\u{ff21} A 2\n";
        let expected = [
            "2:1:a 2:3:A 2:5:1",
            "! 3:10: an octet that is no UTF-8, outside of a comment",
            "4:1:c\u{ff21} 4:4:A 4:6:2",
        ];
        assert_eq!(shown(text), expected);
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[ \t\r\n();\"\\\\a$@ä\u{fffd}0]{0,64}") {
            let mut tokens = 0;
            each(&text, |entry| tokens += entry.map_or(0, |(_, tokens)| tokens.len()));
            prop_assert!(tokens <= text.len());
        }
    }
}
