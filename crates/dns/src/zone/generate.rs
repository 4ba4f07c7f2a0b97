//! `$GENERATE first-last[/step] owner [TTL] [class] type data`: one record for each number, as in BIND 9.
//!
//! In owner and data `$` is the number. `${offset,width,base}` adds an offset to it, fills it with zeros on the left, and
//! writes it in base `d`, `o`, `x` or `X`; `n` and `N` are its hexadecimal digits from the last to the first, with dots
//! between them, as `ip6.arpa` has them. `\$` is a dollar sign. Data that is one text in quotes is what the quotes hold:
//! `MX "10 mail$"` says what `MX 10 mail$` says, and a text is `TXT "\"number $\""`.

use super::entries::Token;
use super::fault::{Flaw, Place};
use std::ops::RangeInclusive;
use terms::RecordType;

/// Most records of one directive: as many as a /16 has addresses.
const MOST: u32 = 1 << 16;
/// Most characters that a number is filled up to: a label has 63 octets.
const WIDEST: usize = 63;

const USAGE: &str = "write `$GENERATE 1-254 host$ A 192.0.2.$`, with a step as in `1-254/2`";

/// What is to be generated.
pub(super) struct Generator {
    numbers: std::iter::StepBy<RangeInclusive<u32>>,
    parts: Vec<Part>,
}

/// A piece of the line.
enum Part {
    Text(String),
    Number { offset: i64, width: usize, base: Base },
}

#[derive(Clone, Copy)]
enum Base {
    Decimal,
    Octal,
    Hexadecimal { upper: bool },
    Nibbles { upper: bool },
}

impl Generator {
    /// Reads what follows `$GENERATE`.
    pub(super) fn of(directive: Place, arguments: &[Token<'_>]) -> Result<Generator, Flaw> {
        let [range, line @ ..] = arguments else {
            return Err(directive.flaw("`$GENERATE` says nothing", USAGE));
        };
        let numbers = numbers(range)?;
        let kind = line.iter().skip(1).position(|token| token.text.parse::<RecordType>().is_ok());
        let data = kind.map_or(&[][..], |kind| &line[kind + 2..]);
        let mut parts = Vec::new();
        let quoted = match data {
            [] => return Err(directive.flaw("`$GENERATE` lacks owner, type or data", USAGE)),
            [only] => only.text.strip_prefix('"').and_then(|text| text.strip_suffix('"')),
            _ => None,
        };
        let plain = if quoted.is_some() { &line[..line.len() - 1] } else { line };
        for token in plain {
            read(token, token.text, &mut parts)?;
            parts.push(Part::Text(" ".to_owned()));
        }
        if let (Some(text), [only]) = (quoted, data) {
            read(only, &text.replace("\\\"", "\""), &mut parts)?;
        }
        Ok(Generator { numbers, parts })
    }

    /// The line of each number; where a number is below zero, nothing but that.
    pub(super) fn lines(self, directive: Place) -> impl Iterator<Item = Result<String, Flaw>> {
        let Generator { numbers, parts } = self;
        numbers.map(move |number| {
            let mut line = String::new();
            for part in &parts {
                match part {
                    Part::Text(text) => line.push_str(text),
                    Part::Number { offset, width, base } => {
                        let number = u64::try_from(i64::from(number) + offset).map_err(|_| {
                            directive.flaw(format!("{number} with offset {offset} is below zero"), USAGE)
                        })?;
                        line.push_str(&base.write(number, *width));
                    }
                }
            }
            Ok(line)
        })
    }
}

impl Base {
    fn write(self, number: u64, width: usize) -> String {
        match self {
            Base::Decimal => format!("{number:0width$}"),
            Base::Octal => format!("{number:0width$o}"),
            Base::Hexadecimal { upper: false } => format!("{number:0width$x}"),
            Base::Hexadecimal { upper: true } => format!("{number:0width$X}"),
            Base::Nibbles { upper } => {
                // Dots count, too: 7 characters are 4 digits and 3 dots.
                let digits = format!("{number:0width$x}", width = width.div_ceil(2));
                let digits: Vec<String> = digits.chars().rev().map(String::from).collect();
                let text = digits.join(".");
                if upper { text.to_uppercase() } else { text }
            }
        }
    }
}

/// `first-last` or `first-last/step`.
fn numbers(token: &Token<'_>) -> Result<std::iter::StepBy<RangeInclusive<u32>>, Flaw> {
    let wrong = || token.place.flaw(format!("`{}` is no range of numbers", token.text), USAGE);
    let (range, step) = token.text.split_once('/').unwrap_or((token.text, "1"));
    let (first, last) = range.split_once('-').ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| wrong());
    let (first, last, step) = (number(first)?, number(last)?, number(step)?);
    if first > last || step == 0 {
        return Err(wrong());
    }
    if (last - first) / step >= MOST {
        return Err(token.place.flaw(
            format!("`{}` is more than {MOST} records", token.text),
            "write several lines, each for a part of them",
        ));
    }
    Ok((first..=last).step_by(step as usize))
}

/// Cuts what a token says into text and numbers.
fn read(token: &Token<'_>, said: &str, parts: &mut Vec<Part>) -> Result<(), Flaw> {
    let (mut rest, mut text) = (said, String::new());
    while let Some(character) = rest.chars().next() {
        let (this, after) = rest.split_at(character.len_utf8());
        rest = after;
        match character {
            '\\' => {
                let escaped = rest.chars().next().map_or(0, char::len_utf8);
                text.push_str(this);
                text.push_str(&rest[..escaped]);
                rest = &rest[escaped..];
            }
            '$' => {
                parts.push(Part::Text(std::mem::take(&mut text)));
                let (number, after) = modified(token, rest)?;
                parts.push(number);
                rest = after;
            }
            _ => text.push_str(this),
        }
    }
    parts.push(Part::Text(text));
    Ok(())
}

/// What stands in braces behind a dollar sign, if anything does; and what comes after it.
fn modified<'t>(token: &Token<'_>, rest: &'t str) -> Result<(Part, &'t str), Flaw> {
    let Some(inside) = rest.strip_prefix('{') else {
        return Ok((Part::Number { offset: 0, width: 0, base: Base::Decimal }, rest));
    };
    let wrong = |why: &str| {
        token.place.flaw(format!("`{}`: {why}", token.text), "write `${offset,width,base}`, as in `${0,3,d}`")
    };
    let (inside, after) = inside.split_once('}').ok_or_else(|| wrong("the brace is not closed"))?;
    let mut words = inside.split(',');
    let offset = words.next().unwrap_or_default();
    let offset: i32 = offset.parse().map_err(|_| wrong("the offset is no number"))?;
    let width = match words.next() {
        None => 0,
        Some(width) => match width.parse() {
            Ok(width @ ..=WIDEST) => width,
            _ => return Err(wrong("the width is no number up to 63")),
        },
    };
    let base = match words.next() {
        None | Some("d") => Base::Decimal,
        Some("o") => Base::Octal,
        Some("x") => Base::Hexadecimal { upper: false },
        Some("X") => Base::Hexadecimal { upper: true },
        Some("n") => Base::Nibbles { upper: false },
        Some("N") => Base::Nibbles { upper: true },
        Some(_) => return Err(wrong("the base is none of d, o, x, X, n and N")),
    };
    if words.next().is_some() {
        return Err(wrong("there are more than three words in the braces"));
    }
    Ok((Part::Number { offset: offset.into(), width, base }, after))
}
