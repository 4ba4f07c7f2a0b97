//! Cuts a zone file into entries and an entry into tokens (RFC 1035 section 5.1), keeping the place of each.
//!
//! An entry is a line, or several that parentheses join. Every entry is cut on its own, so that a fault in one does
//! not hide the next.

use super::fault::{Fault, Place};

/// A directive or a record.
pub(super) struct Entry<'a> {
    /// Whether blanks come first: then the owner is that of the record before.
    pub(super) indented: bool,
    /// At least one.
    pub(super) tokens: Vec<Token<'a>>,
}

/// A run of characters without a blank outside quotes, as it is written.
#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) place: Place,
}

/// The entries of a file, in its order.
pub(super) struct Entries<'a> {
    rest: &'a str,
    here: Place,
}

impl<'a> Entries<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Entries { rest: text, here: Place { line: 1, column: 1 } }
    }

    /// Steps over one character.
    fn step(&mut self, character: char) {
        self.rest = &self.rest[character.len_utf8()..];
        if character == '\n' {
            self.here = Place { line: self.here.line + 1, column: 1 };
        } else {
            self.here.column += 1;
        }
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while let Some(character) = self.rest.chars().next().filter(|&character| wanted(character)) {
            self.step(character);
        }
    }

    /// Reads up to the end of the entry; empty for a blank line or a comment.
    fn entry(&mut self) -> Result<Entry<'a>, Fault> {
        let mut entry = Entry { indented: self.rest.starts_with([' ', '\t']), tokens: Vec::new() };
        let mut open: Vec<Place> = Vec::new();
        while let Some(character) = self.rest.chars().next() {
            let place = self.here;
            match character {
                ';' => self.skip_while(|character| character != '\n'),
                '(' => {
                    open.push(place);
                    self.step(character);
                }
                ')' => {
                    self.step(character);
                    open.pop()
                        .ok_or_else(|| place.fault("`)` closes nothing", "remove it or open it with `(`"))?;
                }
                '\n' if open.is_empty() => {
                    self.step(character);
                    return Ok(entry);
                }
                ' ' | '\t' | '\r' | '\n' => self.step(character),
                _ => entry.tokens.push(self.token()?),
            }
        }
        match open.first() {
            None => Ok(entry),
            Some(place) => {
                Err(place.fault("`(` is never closed", "close it with `)` after the record's last field"))
            }
        }
    }

    fn token(&mut self) -> Result<Token<'a>, Fault> {
        let (start, place) = (self.rest, self.here);
        let mut quote: Option<Place> = None;
        while let Some(character) = self.rest.chars().next() {
            match character {
                '\n' if quote.is_none() => break,
                ' ' | '\t' | '\r' | '(' | ')' | ';' if quote.is_none() => break,
                '\n' => break,
                '"' => quote = if quote.is_none() { Some(self.here) } else { None },
                '\\' if !self.rest[1..].starts_with('\n') => {
                    self.step(character);
                    let Some(escaped) = self.rest.chars().next() else { break };
                    self.step(escaped);
                    continue;
                }
                _ => {}
            }
            self.step(character);
        }
        match quote {
            None => Ok(Token { text: &start[..start.len() - self.rest.len()], place }),
            Some(place) => {
                Err(place
                    .fault("the quote is not closed on its line", "end the text with `\"` on the same line"))
            }
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            match self.entry() {
                Ok(entry) if entry.tokens.is_empty() => {}
                Ok(entry) => return Some(Ok(entry)),
                Err(fault) => {
                    // Go on with the next line.
                    self.skip_while(|character| character != '\n');
                    return Some(Err(fault));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        let show = |token: &Token<'_>| format!("{}:{}:{}", token.place.line, token.place.column, token.text);
        Entries::of(text)
            .map(|entry| match entry {
                Ok(entry) => {
                    let tokens: Vec<_> = entry.tokens.iter().map(show).collect();
                    format!("{}{}", if entry.indented { "> " } else { "" }, tokens.join(" "))
                }
                Err(fault) => format!("! {}:{}: {}", fault.line, fault.column, fault.message),
            })
            .collect()
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

    proptest! {
        #[test]
        fn any_text_ends(text in "[ \t\r\n();\"\\\\a$@ä0]{0,64}") {
            let tokens: usize = Entries::of(&text).flatten().map(|entry| entry.tokens.len()).sum();
            prop_assert!(tokens <= text.len());
        }
    }
}
