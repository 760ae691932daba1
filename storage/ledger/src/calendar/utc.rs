//! The calendar in UTC: integer arithmetic on the proleptic Gregorian calendar.

use super::Span;
use crate::budget::ROLLING_PARTS;
use crate::{UnixMillis, Window};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// The calendar ends here: the first moment of the year 100,000. Later times count as the last period.
const END_DAYS: u64 = 35_804_721;

/// Start and end of the period that `now` falls into, as [`super::period_bounds`].
pub(super) fn bounds(window: Window, created_at: UnixMillis, now: UnixMillis) -> Span {
    let day = (now.0 / DAY_MS).min(END_DAYS);
    let (starts_ms, ends_ms) = match window {
        Window::Never => return (created_at, None),
        Window::Fixed(ms) => fixed(ms.max(1), created_at.0, now.0),
        Window::Rolling(ms) => fixed(ms.div_ceil(ROLLING_PARTS).max(1), created_at.0, now.0),
        Window::Hour => {
            let start = now.0 - now.0 % HOUR_MS;
            (start, start.saturating_add(HOUR_MS))
        }
        Window::Day => (day * DAY_MS, (day + 1) * DAY_MS),
        Window::Week => week(day),
        Window::Month => months(day, 1),
        Window::Quarter => months(day, 3),
        Window::Year => months(day, 12),
    };
    (UnixMillis(starts_ms), Some(UnixMillis(ends_ms)))
}

fn fixed(ms: u64, created_ms: u64, now_ms: u64) -> (u64, u64) {
    let since = now_ms.saturating_sub(created_ms);
    let start = created_ms.saturating_add(since - since % ms);
    (start, start.saturating_add(ms))
}

/// The week from Monday to Monday. 1970-01-01 was a Thursday; the week it is in is cut at 1970.
fn week(day: u64) -> (u64, u64) {
    let since_monday = (day + 3) % 7;
    let monday = day.saturating_sub(since_monday);
    (monday * DAY_MS, (day + 7 - since_monday) * DAY_MS)
}

/// The span of `length` months (a divisor of 12) that `day` falls into.
fn months(day: u64, length: u64) -> (u64, u64) {
    let (year, month) = civil_from_days(day);
    let first = (month - 1) / length * length + 1;
    let (next_year, next_first) =
        if first + length > 12 { (year + 1, 1) } else { (year, first + length) };
    let start = days_from_civil(year, first);
    let end = days_from_civil(next_year, next_first);
    (start * DAY_MS, end * DAY_MS)
}

/// Days from 1970-01-01 to the first of a month; `year` from 1970, `month` 1 to 12.
///
/// Years are counted from March, so that a leap day is the last of its year: then the days before a
/// month follow a straight line of slope 153/5.
fn days_from_civil(year: u64, month: u64) -> u64 {
    let (year, from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let before_month = (153 * from_march + 2) / 5;
    year * 365 + leap_days + before_month - DAYS_TO_1970
}

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: u64 = 719_468;

/// Year and month (1 to 12) of a day since 1970-01-01.
fn civil_from_days(day: u64) -> (u64, u64) {
    // 400 years have 146,097 days; leap days fall unevenly, so the estimate may be off by one.
    let estimate = 1970 + day * 400 / 146_097;
    let year = if days_from_civil(estimate + 1, 1) <= day {
        estimate + 1
    } else if days_from_civil(estimate, 1) <= day {
        estimate
    } else {
        estimate - 1
    };
    let month = (2..=12).rev().find(|&month| days_from_civil(year, month) <= day).unwrap_or(1);
    (year, month)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Year, month and day by counting one day at a time: slow and obvious.
    fn walk_days(days: u64) -> Vec<(u64, u64, u64)> {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        let mut all = Vec::new();
        for _ in 0..days {
            all.push((year, month, day));
            let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            let length = match month {
                4 | 6 | 9 | 11 => 30,
                2 if leap => 29,
                2 => 28,
                _other => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        all
    }

    #[test]
    fn every_day_of_five_centuries_is_in_its_month() {
        for (day, (year, month, of_month)) in (0..).zip(walk_days(500 * 366)) {
            assert_eq!(civil_from_days(day), (year, month), "day {day}");
            assert_eq!(days_from_civil(year, month) + of_month - 1, day);
        }
    }

    fn seconds(window: Window, now_s: u64) -> (u64, u64) {
        let (starts, ends) = bounds(window, UnixMillis(0), UnixMillis(now_s * 1000));
        (starts.0 / 1000, ends.map_or(0, |ends| ends.0.div_ceil(1000)))
    }

    #[test]
    fn calendar_periods_of_a_leap_day_are_the_almanacs() {
        let leap_day = 1_709_210_096; // 2024-02-29T12:34:56Z, a Thursday
        assert_eq!(seconds(Window::Hour, leap_day), (1_709_208_000, 1_709_211_600));
        assert_eq!(seconds(Window::Day, leap_day), (1_709_164_800, 1_709_251_200));
        assert_eq!(seconds(Window::Week, leap_day), (1_708_905_600, 1_709_510_400));
        assert_eq!(seconds(Window::Month, leap_day), (1_706_745_600, 1_709_251_200));
        assert_eq!(seconds(Window::Quarter, leap_day), (1_704_067_200, 1_711_929_600));
        assert_eq!(seconds(Window::Year, leap_day), (1_704_067_200, 1_735_689_600));
    }

    #[test]
    fn a_fixed_window_counts_from_the_budgets_creation() {
        let (window, created) = (Window::Fixed(5_000), UnixMillis(1_700));
        let at = |now| bounds(window, created, UnixMillis(now));
        let first = (UnixMillis(1_700), Some(UnixMillis(6_700)));
        assert_eq!(at(0), first);
        assert_eq!(at(6_699), first);
        assert_eq!(at(6_700), (UnixMillis(6_700), Some(UnixMillis(11_700))));
    }

    #[test]
    fn a_period_holds_its_now_and_the_next_begins_where_it_ends() {
        let windows = [
            Window::Fixed(86_400_001),
            Window::Hour,
            Window::Day,
            Window::Week,
            Window::Month,
            Window::Quarter,
            Window::Year,
        ];
        for window in windows {
            let mut now = UnixMillis(1_234);
            for _ in 0..300 {
                let (starts, ends) = bounds(window, UnixMillis(1_234), now);
                let ends = ends.expect("these windows end");
                assert!(starts <= now && now < ends, "{window:?} at {now:?}");
                let (next, _) = bounds(window, UnixMillis(1_234), ends);
                assert_eq!(next, ends, "{window:?} at {now:?}");
                now = ends;
            }
        }
    }

    #[test]
    fn no_time_overflows() {
        for window in [Window::Hour, Window::Week, Window::Year, Window::Fixed(u64::MAX)] {
            let far = UnixMillis(u64::MAX);
            let (starts, ends) = bounds(window, far, far);
            assert!(Some(starts) <= ends);
        }
    }
}
