//! Sentences that people write and machines act on: fixed words with slots between them.
//!
//! A family of sentences is one enum, written once with the [`sentences!`] table. From that table come the parser,
//! the text (`Display`), the list that an error shows, the names of nodes that a sentence mentions, and the page of
//! the reference: they cannot differ from each other.

use std::fmt::{self, Display};
use std::str::FromStr;

/// One form of sentence: its words and slots, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Source text of each part: `"by"` in quotes is a fixed word, `site` is a slot.
    parts: &'static [&'static str],
    /// What the sentence means, for the reference.
    pub meaning: &'static str,
}

impl Form {
    /// Only the [`sentences!`] table makes forms.
    #[doc(hidden)]
    pub const fn new(parts: &'static [&'static str], meaning: &'static str) -> Self {
        Form { parts, meaning }
    }

    /// The form as people read it: `client CLIENT by SITE`.
    pub fn pattern(&self) -> String {
        let shown = self.parts.iter().map(|part| match fixed(part) {
            Some(word) => word.to_owned(),
            None => part.to_uppercase(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    /// Whether this fixed word is its last.
    pub fn ends_with(&self, word: &str) -> bool {
        self.parts.last().is_some_and(|part| fixed(part) == Some(word))
    }

    /// The names of its slots, as the pattern shows them.
    pub fn slots(&self) -> impl Iterator<Item = String> {
        self.parts.iter().filter(|part| fixed(part).is_none()).map(|part| part.to_uppercase())
    }

    /// What stands in the slots when the fixed words are where they belong. A last slot takes the rest of the
    /// sentence, every other slot one word.
    #[doc(hidden)]
    pub fn fit(&self, text: &str) -> Option<Slots> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut found = Vec::new();
        let mut at = 0;
        for (index, part) in self.parts.iter().enumerate() {
            let word = *words.get(at)?;
            match fixed(part) {
                Some(expected) if expected == word => at += 1,
                Some(_) => return None,
                None => {
                    let until = if index + 1 == self.parts.len() { words.len() } else { at + 1 };
                    found.push((*part, words[at..until].join(" ")));
                    at = until;
                }
            }
        }
        (at == words.len()).then_some(Slots { form: *self, found })
    }

    /// How much of the sentence and the form agree, in order, in percent of what could.
    fn likeness(&self, text: &str) -> usize {
        let written: Vec<&str> = text.split_whitespace().collect();
        let most = written.len().max(self.parts.len()).max(1);
        100 * agreement(&written, self.parts) / (most * SAME_WORD)
    }
}

const SAME_WORD: usize = 3;
const SIMILAR_WORD: usize = 2;
const FILLED_SLOT: usize = 1;

/// The best alignment of words with parts, a longest common subsequence by weight: a slip of the finger counts for
/// less than the word itself, and any word can fill a slot.
fn agreement(written: &[&str], parts: &[&'static str]) -> usize {
    let mut row = vec![0; parts.len() + 1];
    for word in written {
        let mut diagonal = 0;
        for (column, part) in parts.iter().enumerate() {
            let weight = match fixed(part) {
                Some(expected) if expected == *word => SAME_WORD,
                Some(expected) if terms::nearest_spelling(word, [expected]).is_some() => SIMILAR_WORD,
                Some(_) => 0,
                None => FILLED_SLOT,
            };
            let best = (diagonal + weight).max(row[column + 1]).max(row[column]);
            diagonal = std::mem::replace(&mut row[column + 1], best);
        }
    }
    row[parts.len()]
}

/// The word inside the quotes, if the part is a fixed word.
fn fixed(part: &'static str) -> Option<&'static str> {
    part.strip_prefix('"')?.strip_suffix('"')
}

/// What stands in the slots of one sentence.
#[doc(hidden)]
pub struct Slots {
    form: Form,
    found: Vec<(&'static str, String)>,
}

impl Slots {
    /// The word in the slot of that name.
    #[doc(hidden)]
    pub fn read<T: Slot>(&self, slot: &'static str) -> Result<T, SentenceError> {
        let written = self.found.iter().find(|(name, _)| *name == slot).map_or("", |(_, word)| word);
        written.parse().map_err(|why: T::Err| SentenceError::Slot {
            form: self.form.pattern(),
            slot: slot.to_uppercase(),
            written: written.to_owned(),
            why: why.to_string(),
        })
    }

    /// The sentence that was built from these slots.
    #[doc(hidden)]
    pub fn build<T>(&self, sentence: T) -> Result<T, SentenceError> {
        Ok(sentence)
    }
}

/// What kind of thing of a world a word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A client; its name is its city.
    Client,
    /// A site.
    Site,
    /// Any node: client, router or site.
    Node,
    /// A node that sends and receives: a client, a device on a LAN, a host of a site.
    Host,
    /// A node that forwards.
    Router,
    /// A local network.
    Lan,
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Client => "client",
            Kind::Site => "site",
            Kind::Node => "node",
            Kind::Host => "host",
            Kind::Router => "router",
            Kind::Lan => "LAN",
        })
    }
}

/// A name of something in the world, as a sentence mentions it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mention<'a> {
    /// What it must be.
    pub kind: Kind,
    /// Its name.
    pub name: &'a str,
}

/// What may stand in a slot.
pub trait Slot: FromStr<Err: Display> + Display {
    /// The node that the word names, if it names one.
    fn mention(&self) -> Option<Mention<'_>> {
        None
    }
}

/// Why a text is no sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SentenceError {
    /// No form has these words.
    #[error("there is no sentence `{written}`")]
    Unknown {
        /// The text.
        written: String,
        /// The form that is most like it.
        nearest: Option<String>,
        /// Every form there is.
        known: Vec<String>,
    },
    /// The words are those of a form, and a slot holds something else than it should.
    #[error("`{written}` is no {slot} in `{form}`: {why}")]
    Slot {
        /// The form.
        form: String,
        /// The slot's name.
        slot: String,
        /// What was written there.
        written: String,
        /// What is wrong with it.
        why: String,
    },
}

impl SentenceError {
    /// The error for a text that fits none of the forms.
    #[doc(hidden)]
    pub fn unknown(text: &str, forms: &[Form]) -> Self {
        let nearest =
            forms.iter().max_by_key(|form| form.likeness(text)).filter(|form| form.likeness(text) >= 40);
        SentenceError::Unknown {
            written: terms::Reason::from(text).to_string(),
            nearest: nearest.map(Form::pattern),
            known: forms.iter().map(Form::pattern).collect(),
        }
    }

    /// What the writer can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            SentenceError::Unknown { nearest, known, .. } => {
                let guess =
                    nearest.as_ref().map(|form| format!("did you mean `{form}`? ")).unwrap_or_default();
                Some(format!("{guess}The sentences are: {}", known.join("; ")))
            }
            SentenceError::Slot { .. } => None,
        }
    }
}

/// Defines a family of sentences: each variant with its meaning, its fields and the words around them.
macro_rules! sentences {
    (
        $(#[$doc:meta])*
        pub enum $name:ident {
            $(
                $(#[doc = $meaning:literal])+
                $variant:ident $({ $($field:ident: $type:ty),+ $(,)? })? = [$($part:tt)+];
            )+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $(
                $(#[doc = $meaning])+
                $variant $({ $(
                    #[doc = concat!("What stands for `", stringify!($field), "`.")]
                    $field: $type,
                )+ })?,
            )+
        }

        impl $name {
            /// Every form there is, in the order of the reference.
            pub const FORMS: &'static [$crate::sentence::Form] = &[
                $($crate::sentence::Form::new(&[$(stringify!($part)),+], concat!($($meaning),+).trim_ascii()),)+
            ];

            /// Its form.
            pub fn form(&self) -> &'static $crate::sentence::Form {
                /// Each variant at the place of its form.
                enum Place { $($variant),+ }
                let place = match self {
                    $($name::$variant { .. } => Place::$variant,)+
                };
                &Self::FORMS[place as usize]
            }

            /// The names that the sentence mentions.
            pub fn mentions(&self) -> Vec<$crate::sentence::Mention<'_>> {
                let mentioned: Vec<Option<$crate::sentence::Mention<'_>>> = match self {
                    $($name::$variant { $($($field),+)? } => {
                        vec![$($($crate::sentence::Slot::mention($field)),+)?]
                    })+
                };
                mentioned.into_iter().flatten().collect()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::sentence::SentenceError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut forms = Self::FORMS.iter();
                $(
                    if let Some(slots) = forms.next().and_then(|form| form.fit(text)) {
                        return slots.build($name::$variant { $($($field: slots.read(stringify!($field))?),+)? });
                    }
                )+
                Err($crate::sentence::SentenceError::unknown(text, Self::FORMS))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let parts: Vec<String> = match self {
                    $($name::$variant { $($($field),+)? } => vec![$($part.to_string()),+],)+
                };
                f.write_str(&parts.join(" "))
            }
        }
    };
}
pub(crate) use sentences;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;
    use crate::scenario::expectation::Expectation;
    use proptest::prelude::*;

    /// A sentence of this form, with words from the strategies of its slots.
    fn sentence_of(form: &'static Form) -> impl Strategy<Value = String> {
        let words: Vec<BoxedStrategy<String>> = form.parts.iter().map(|part| word_for(part)).collect();
        words.prop_map(|words| words.join(" "))
    }

    fn word_for(part: &'static str) -> BoxedStrategy<String> {
        let time = (1u32..100_000, prop::sample::select(vec!["us", "ms", "s", "m"]));
        let time = time.prop_map(|(number, unit)| format!("{number}{unit}"));
        match (fixed(part), part) {
            (Some(word), _) => Just(word.to_owned()).boxed(),
            (None, "time") => time.boxed(),
            (None, "address") => any::<std::net::IpAddr>().prop_map(|address| address.to_string()).boxed(),
            (None, "limit") => (time, any::<bool>())
                .prop_map(|(time, path)| format!("{time}{}", if path { " plus path" } else { "" }))
                .boxed(),
            (None, "name") => "([a-z0-9]{1,9}\\.){1,3}".boxed(),
            (None, "member") => "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?".boxed(),
            (None, "family") => prop::sample::select(vec!["ipv4", "ipv6"]).prop_map(str::to_owned).boxed(),
            (None, "share") => (1u8..=99).prop_map(|share| format!("{share}%")).boxed(),
            (None, "group") => (225u8..=239, any::<[u8; 3]>())
                .prop_map(|(first, [a, b, c])| format!("{first}.{a}.{b}.{c}"))
                .boxed(),
            (None, "count") => (0u32..).prop_map(|count| count.to_string()).boxed(),
            (None, "line") => "[a-z_]{1,9} = \\[?\"[a-z0-9./]{1,9}\"\\]?".boxed(),
            (None, "words") => "[a-z0-9]{1,9}( [a-z0-9]{1,9}){0,3}".boxed(),
            (None, "output") => prop::sample::select(vec!["none", "gshut", "depref", "normal"])
                .prop_map(str::to_owned)
                .boxed(),
            (None, "factor") => "[1-9][0-9]{0,3}(\\.[0-9]{1,2})?".boxed(),
            (None, "state") => {
                prop::sample::select(vec!["boot", "warm", "up", "suspect", "held", "drain", "down", "off"])
                    .prop_map(str::to_owned)
                    .boxed()
            }
            (None, "script") => prop::sample::select(vec!["broken-updates", "full-table", "foreign-routes"])
                .prop_map(str::to_owned)
                .boxed(),
            (None, "told") => {
                prop::sample::select(vec!["announced", "withdrawn"]).prop_map(str::to_owned).boxed()
            }
            (None, _) => "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?".boxed(),
        }
    }

    fn any_sentence(forms: &'static [Form]) -> impl Strategy<Value = String> {
        prop::sample::select(forms.iter().collect::<Vec<_>>()).prop_flat_map(sentence_of)
    }

    proptest! {
        #[test]
        fn what_is_expected_reads_back(text in any_sentence(Expectation::FORMS)) {
            let wanted: Expectation = text.parse().unwrap();
            prop_assert_eq!(wanted.to_string().parse::<Expectation>().unwrap(), wanted);
        }

        #[test]
        fn what_is_done_reads_back(text in any_sentence(Fault::FORMS)) {
            let fault: Fault = text.parse().unwrap();
            prop_assert_eq!(fault.to_string().parse::<Fault>().unwrap(), fault);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
            let _ = text.parse::<Fault>();
            let _ = text.parse::<Expectation>();
        }

        #[test]
        fn a_sentence_mentions_the_names_in_it(text in any_sentence(Fault::FORMS)) {
            let fault: Fault = text.parse().unwrap();
            let words: Vec<&str> = text.split(' ').collect();
            let mentions = fault.mentions();
            prop_assert!(mentions.iter().all(|mention| words.contains(&mention.name)));
            prop_assert_eq!(mentions.is_empty(), fault.form().slots().next().is_none());
        }
    }

    #[test]
    fn a_slip_is_guessed_and_the_list_is_shown() {
        let error = "kill servise london".parse::<Fault>().unwrap_err();
        insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()));
        let error = "clients from london answered within 5s".parse::<Expectation>().unwrap_err();
        assert!(error.hint().unwrap().starts_with("did you mean `clients of SITE answered within LIMIT`?"));
        let error = "let there be light".parse::<Expectation>().unwrap_err();
        assert!(error.hint().unwrap().starts_with("The sentences are: every client answered;"));
    }

    #[test]
    fn a_wrong_word_is_named_with_its_slot() {
        let error = "other clients silent at most 100".parse::<Expectation>().unwrap_err();
        insta::assert_snapshot!(error, @"`100` is no TIME in `other clients silent at most TIME`: `100` is no duration: write a whole number and one of us, ms, s, m, h, for example 100ms");
        let error = "site london state asleep".parse::<Expectation>().unwrap_err();
        insta::assert_snapshot!(error, @"`asleep` is no STATE in `site SITE state STATE`: it is one of boot, warm, up, suspect, held, drain, down, off");
    }
}
