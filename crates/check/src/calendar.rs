//! Dates as protocols write them, in the proleptic Gregorian calendar and UTC.

use std::time::Duration;
use terms::WallTime;

/// The moment that a date and a time of day name; none where there is no such date, and before 1970.
pub(crate) fn moment(
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
) -> Option<WallTime> {
    let is_date = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    // A leap second counts as the second after it.
    if !is_date || day > days_of(year, month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = (days_since_1970(year, month, day) * 24 + hour) * 3600 + minute * 60 + second;
    Some(WallTime(seconds * 1000))
}

/// What a row of decimal digits says; none where anything else stands in it.
pub(crate) fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |number, &octet| {
        let digit = octet.is_ascii_digit().then(|| u64::from(octet - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// How long after `earlier` this is, zero if it is not after it.
pub(crate) fn since(later: WallTime, earlier: WallTime) -> Duration {
    Duration::from_millis(later.0.saturating_sub(earlier.0))
}

/// A length of time to read at a glance.
pub(crate) fn span(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds @ 1..600 => format!("{seconds} s"),
        seconds @ 600..36_000 => format!("{} min", seconds / 60),
        seconds @ 36_000..432_000 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let leap_years_before = |year: u64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let years = (year - 1970) * 365 + leap_years_before(year) - leap_years_before(1970);
    let months: u64 = (1..month).map(|month| days_of(year, month)).sum();
    years + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_agree_with_the_calendar() {
        let known = [
            ((1970, 1, 1, 0, 0, 0), Some(0)),
            ((2000, 2, 29, 0, 0, 0), Some(951_782_400_000)),
            ((2025, 2, 28, 23, 59, 59), Some(1_740_787_199_000)),
            ((2100, 3, 1, 0, 0, 0), Some(4_107_542_400_000)),
            ((2100, 2, 29, 0, 0, 0), None),
            ((2024, 2, 30, 0, 0, 0), None),
            ((2024, 13, 1, 0, 0, 0), None),
            ((2024, 4, 31, 0, 0, 0), None),
            ((1969, 1, 1, 0, 0, 0), None),
            ((2024, 1, 1, 24, 0, 0), None),
        ];
        for ((year, month, day, hour, minute, second), millis) in known {
            let moment = moment(year, month, day, hour, minute, second).map(|at| at.0);
            assert_eq!(moment, millis, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn only_digits_are_a_number() {
        assert_eq!(digits(b"0042"), Some(42));
        assert_eq!(digits(b"4 2"), None);
        assert_eq!(digits(b"99999999999999999999999"), None);
    }
}
