//! The time of day as text, for records and files that carry it.
//!
//! Invariant: nothing is decided by it.

use std::fmt::Write;

/// Appends a time, given in milliseconds since 1970, as `2026-01-31T12:00:00.000Z`.
pub fn push_time(output: &mut String, wall_time_ms: u64) {
    let (seconds, millis) = (wall_time_ms / 1000, wall_time_ms % 1000);
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_date(days);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    // Writing to a String cannot fail.
    let _ = write!(output, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z");
}

/// Year, month and day of the Gregorian calendar, from days since 1970.
///
/// Counts in eras of 400 years (146,097 days) with years that begin in March, so that the leap day is the
/// last of its year.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let since_era_zero = days + 719_468;
    let era = since_era_zero / 146_097;
    let day_of_era = since_era_zero % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let table = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_735_689_599_001, "2024-12-31T23:59:59.001Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ];
        for (wall_time_ms, expected) in table {
            let mut output = String::new();
            push_time(&mut output, wall_time_ms);
            assert_eq!(output, expected);
        }
    }
}
