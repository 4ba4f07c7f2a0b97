use std::fmt;

/// A large number as people read it: `140,000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thousands(pub u64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_digit_is_set_apart() {
        let written = [0, 999, 1000, 35_000, 140_000, 1_000_001].map(|number| Thousands(number).to_string());
        assert_eq!(written, ["0", "999", "1,000", "35,000", "140,000", "1,000,001"]);
        assert_eq!(format!("{:>6}", Thousands(1000)), " 1,000");
    }
}
