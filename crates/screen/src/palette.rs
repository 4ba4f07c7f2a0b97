//! What colours the terminal has, and what is drawn in which.

use ratatui::style::{Color, Modifier, Style};

/// Which colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// None, or nobody wants any (<https://no-color.org>).
    None,
    /// The sixteen of every terminal, which their owner has chosen.
    Sixteen,
    /// The 256 of xterm.
    Many,
}

/// What a style says. Never the only thing that says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As most of it is.
    Plain,
    /// What one looks for.
    Strong,
    /// Less important than the rest.
    Quiet,
    /// Lines and outlines.
    Faint,
    /// As it should be.
    Good,
    /// Wrong.
    Alarm,
    /// The one that keys act on.
    Chosen,
    /// A key that can be pressed.
    Key,
}

/// Okabe and Ito, safe for the colour-blind, as the page has them in the dark.
const MANY: [u8; 7] = [74, 214, 36, 202, 175, 32, 227];
const SIXTEEN: [Color; 7] = [
    Color::LightCyan,
    Color::Yellow,
    Color::Green,
    Color::LightRed,
    Color::LightMagenta,
    Color::LightBlue,
    Color::LightYellow,
];

impl Colours {
    /// What a terminal has that is described by these variables of the environment, given by name.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Colours {
        let has = |name, words: &[&str]| {
            variable(name).is_some_and(|value| words.iter().any(|word| value.contains(word)))
        };
        if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            Colours::None
        } else if has("COLORTERM", &["truecolor", "24bit"]) || has("TERM", &["256color", "direct", "kitty"]) {
            Colours::Many
        } else if has("TERM", &["mono", "vt1", "vt2"]) {
            Colours::None
        } else {
            Colours::Sixteen
        }
    }

    /// The style of everything that has no other.
    pub(crate) fn ground(self) -> Style {
        match self {
            Colours::None | Colours::Sixteen => Style::new(),
            Colours::Many => Style::new().fg(Color::Indexed(253)).bg(Color::Indexed(234)),
        }
    }

    /// The colour behind everything.
    pub(crate) fn background(self) -> Color {
        self.ground().bg.unwrap_or(Color::Reset)
    }

    /// The style of a tone.
    pub(crate) fn tone(self, tone: Tone) -> Style {
        let style = match tone {
            Tone::Plain | Tone::Quiet | Tone::Faint | Tone::Good => Style::new(),
            Tone::Strong | Tone::Alarm | Tone::Key => Style::new().add_modifier(Modifier::BOLD),
            Tone::Chosen => Style::new().add_modifier(Modifier::BOLD),
        };
        match self {
            Colours::None => style,
            Colours::Sixteen => match tone {
                // Over the map there is another colour already.
                Tone::Plain | Tone::Strong | Tone::Chosen => style.fg(Color::Reset),
                Tone::Quiet | Tone::Faint => style.fg(Color::DarkGray),
                Tone::Good => style.fg(Color::Green),
                Tone::Alarm => style.fg(Color::LightRed),
                Tone::Key => style.fg(Color::LightCyan),
            },
            Colours::Many => match tone {
                Tone::Plain => style.fg(Color::Indexed(252)),
                Tone::Strong => style.fg(Color::Indexed(255)),
                Tone::Chosen => style.fg(Color::Indexed(255)).bg(Color::Indexed(238)),
                Tone::Quiet => style.fg(Color::Indexed(246)),
                Tone::Faint => style.fg(Color::Indexed(240)),
                Tone::Good => style.fg(Color::Indexed(79)),
                Tone::Alarm => style.fg(Color::Indexed(210)),
                Tone::Key => style.fg(Color::Indexed(117)),
            },
        }
    }

    /// The colour of a tone.
    pub(crate) fn ink(self, tone: Tone) -> Color {
        self.tone(tone).fg.unwrap_or(Color::Reset)
    }

    /// The colour of a site's place in the palette.
    pub(crate) fn of_site(self, place: u8) -> Color {
        let place = usize::from(place) % MANY.len();
        match self {
            Colours::None => Color::Reset,
            Colours::Sixteen => SIXTEEN[place],
            Colours::Many => Color::Indexed(MANY[place]),
        }
    }

    /// A letter in the colour of a site.
    pub(crate) fn letter(self, place: u8) -> Style {
        match self {
            Colours::None => Style::new().add_modifier(Modifier::BOLD),
            Colours::Sixteen | Colours::Many => {
                Style::new().fg(self.of_site(place)).add_modifier(Modifier::BOLD)
            }
        }
    }

    /// A letter on the colour of a site: the site itself.
    pub(crate) fn badge(self, place: u8) -> Style {
        match self {
            Colours::None => Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED),
            Colours::Sixteen | Colours::Many => {
                Style::new().fg(Color::Black).bg(self.of_site(place)).add_modifier(Modifier::BOLD)
            }
        }
    }

    /// Something on a badge that is wrong.
    pub(crate) fn alarm_badge(self) -> Style {
        match self {
            Colours::None => Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED),
            Colours::Sixteen | Colours::Many => {
                Style::new().fg(Color::Black).bg(self.ink(Tone::Alarm)).add_modifier(Modifier::BOLD)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Colours {
        Colours::of(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_says_which_colours_there_are() {
        assert_eq!(of(&[("TERM", "xterm-256color")]), Colours::Many);
        assert_eq!(of(&[("TERM", "xterm"), ("COLORTERM", "truecolor")]), Colours::Many);
        assert_eq!(of(&[("TERM", "linux")]), Colours::Sixteen);
        assert_eq!(of(&[("TERM", "vt100")]), Colours::None);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Colours::None);
        assert_eq!(of(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Colours::Many);
    }

    #[test]
    fn without_colours_nothing_has_one() {
        let tones = [
            Tone::Plain,
            Tone::Strong,
            Tone::Quiet,
            Tone::Faint,
            Tone::Good,
            Tone::Alarm,
            Tone::Chosen,
            Tone::Key,
        ];
        let none = Colours::None;
        let styles = tones.map(|tone| none.tone(tone)).into_iter().chain([
            none.ground(),
            none.letter(3),
            none.badge(3),
        ]);
        assert!(styles.chain([none.alarm_badge()]).all(|style| style.fg.is_none() && style.bg.is_none()));
    }
}
