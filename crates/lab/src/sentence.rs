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
        (at == words.len()).then(|| Slots { form: *self, found })
    }

    /// How many of the form's fixed words the sentence has, in order, in percent of all words of both.
    fn likeness(&self, text: &str) -> usize {
        let written: Vec<&str> = text.split_whitespace().collect();
        let fixed_words: Vec<&str> = self.parts.iter().filter_map(|part| fixed(part)).collect();
        let common = common_words(&written, &fixed_words);
        200 * common / (written.len() + self.parts.len()).max(1)
    }
}

/// The word inside the quotes, if the part is a fixed word.
fn fixed(part: &'static str) -> Option<&'static str> {
    part.strip_prefix('"')?.strip_suffix('"')
}

/// Length of the longest common subsequence; words that differ by a slip of the finger count as common.
fn common_words(written: &[&str], fixed_words: &[&str]) -> usize {
    let mut row = vec![0; fixed_words.len() + 1];
    for word in written {
        let mut diagonal = 0;
        for (column, other) in fixed_words.iter().enumerate() {
            let same = terms::nearest_spelling(word, [*other]).is_some();
            let best = if same { diagonal + 1 } else { row[column + 1].max(row[column]) };
            diagonal = std::mem::replace(&mut row[column + 1], best);
        }
    }
    row[fixed_words.len()]
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
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Client => "client",
            Kind::Site => "site",
            Kind::Node => "node",
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
        let nearest = forms.iter().max_by_key(|form| form.likeness(text)).filter(|form| form.likeness(text) >= 50);
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
                let guess = nearest.as_ref().map(|form| format!("did you mean `{form}`? ")).unwrap_or_default();
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
