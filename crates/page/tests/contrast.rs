//! Letters can be read on every ground, in the light and in the dark (WCAG 2.2, success criterion 1.4.3).
#![allow(clippy::unwrap_used)] // the helpers of tests may panic like the tests themselves

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../../web/style.css");

/// The palette: a name, its colour in the light and in the dark.
fn palette() -> BTreeMap<&'static str, [u32; 2]> {
    let colours = STYLE.lines().filter_map(|line| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": light-dark(")?;
        let (light, dark) = value.split_once(')')?.0.split_once(", ")?;
        let number = |text: &str| u32::from_str_radix(text.strip_prefix('#')?, 16).ok();
        Some((name, [number(light)?, number(dark)?]))
    });
    colours.collect()
}

/// Relative luminance of an sRGB colour (WCAG 2.2, glossary).
fn luminance(colour: u32) -> f64 {
    let channel = |shift: u32| {
        let value = f64::from(colour >> shift & 0xff) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
}

fn contrast(a: u32, b: u32) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_letter_can_be_read_on_every_ground() {
    let palette = palette();
    for letters in ["ink", "muted", "alarm", "good"] {
        for ground in ["paper", "panel", "ground", "ocean", "land"] {
            for scheme in 0..2 {
                let ratio = contrast(palette[letters][scheme], palette[ground][scheme]);
                assert!(ratio >= 4.5, "{letters} on {ground} ({}): {ratio:.2}", ["light", "dark"][scheme]);
            }
        }
    }
}

#[test]
fn the_formula_gives_the_known_ends() {
    assert!((contrast(0xff_ffff, 0) - 21.0).abs() < 1e-9);
    assert!((contrast(0x77_7777, 0xff_ffff) - 4.48).abs() < 0.01);
}
