//! Times and lists as people say them.

use std::fmt::Display;
use std::time::{Duration, SystemTime};
use terms::{Thousands, WallTime};

/// Now, for people.
pub(crate) fn now() -> WallTime {
    let since_epoch = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    WallTime(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

/// How long ago, in at most two units: `3 min 12 s`.
pub(crate) fn age(since: WallTime, now: WallTime) -> String {
    let seconds = Duration::from_millis(now.0.saturating_sub(since.0)).as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        86_400.. => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Date and time of day in UTC: `2026-11-23 14:03:22.123`.
pub(crate) fn utc(time: WallTime) -> String {
    let (days, millis) = (time.0 / 86_400_000, time.0 % 86_400_000);
    let (year, month, day) = date(days);
    let (hours, minutes, seconds) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02}.{:03}", millis % 1000)
}

/// The Gregorian date so many days after 1970-01-01. Years are counted from March, so that a leap day is the last
/// day of its year; 400 of them have 146097 days.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // from 0000-03-01 to 1970-01-01
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// `a, b, c`.
pub(crate) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// `1 peer`, `1,204 peers`.
pub(crate) fn count(number: impl TryInto<u64>, singular: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    if number == 1 { format!("1 {singular}") } else { format!("{} {singular}s", Thousands(number)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_agree_with_the_calendar() {
        let known = [
            (0, "1970-01-01 00:00:00.000"),
            (951_782_400_000, "2000-02-29 00:00:00.000"),
            (1_740_787_199_999, "2025-02-28 23:59:59.999"),
            (1_740_787_200_000, "2025-03-01 00:00:00.000"),
            (4_107_542_400_000, "2100-03-01 00:00:00.000"),
        ];
        for (millis, text) in known {
            assert_eq!(utc(WallTime(millis)), text);
        }
    }

    #[test]
    fn an_age_has_two_units_at_most() {
        let now = WallTime(10_000_000_000);
        let ages = [0, 59_999, 192_000, 7_500_000, 100_000_000].map(|ago| age(WallTime(now.0 - ago), now));
        assert_eq!(ages, ["0 s", "59 s", "3 min 12 s", "2 h 5 min", "1 d 3 h"]);
        assert_eq!(age(WallTime(now.0 + 5000), now), "0 s");
    }
}
