//! The calendar of a time zone, from data that are part of the program: no file of the machine is read.

use super::Span;
use crate::{UnixMillis, Window};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

const HOUR_MS: i64 = 3_600_000;
const SECOND_MS: i64 = 1_000;

/// A time zone.
pub(super) struct Zone(TimeZone);

/// The names of all time zones.
pub(super) fn names() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect()
}

impl Zone {
    /// The time zone of this name.
    pub(super) fn find(name: &str) -> Option<Zone> {
        TimeZoneDatabase::bundled().get(name).ok().map(Zone)
    }

    /// Start and end of the calendar period that `now` falls into; `None` past the last year the data
    /// have rules for, and for windows that are not a calendar's.
    pub(super) fn bounds(&self, window: Window, now: UnixMillis) -> Option<Span> {
        let now_ms = i64::try_from(now.0).ok()?;
        let (starts_ms, ends_ms) = match window {
            Window::Never | Window::Fixed(_) | Window::Rolling(_) => return None,
            Window::Hour => self.hour(now_ms)?,
            Window::Day | Window::Week | Window::Month | Window::Quarter | Window::Year => {
                self.days(window, now_ms)?
            }
        };
        // What began before 1970 is cut there.
        let at = |ms: i64| UnixMillis(u64::try_from(ms).unwrap_or(0));
        Some((at(starts_ms), Some(at(ends_ms))))
    }

    /// The hour the clocks show, cut where they are set within it.
    fn hour(&self, now_ms: i64) -> Option<(i64, i64)> {
        let now = Timestamp::from_millisecond(now_ms).ok()?;
        let offset = self.0.to_offset(now);
        let shown_ms = now_ms + i64::from(offset.seconds()) * SECOND_MS;
        let mut starts_ms = now_ms - shown_ms.rem_euclid(HOUR_MS);
        let mut ends_ms = starts_ms + HOUR_MS;
        let next = self.0.following(now).find(|set| set.offset() != offset);
        if let Some(next) = next {
            ends_ms = ends_ms.min(next.timestamp().as_millisecond());
        }
        let until = Timestamp::from_millisecond(now_ms + 1).ok()?;
        for set in self.0.preceding(until) {
            let set_ms = set.timestamp().as_millisecond();
            if set_ms <= starts_ms {
                break;
            }
            let before = Timestamp::from_millisecond(set_ms - 1).ok()?;
            if self.0.to_offset(before) != set.offset() {
                starts_ms = set_ms;
                break;
            }
        }
        Some((starts_ms, ends_ms))
    }

    /// The span of whole days that `now` falls into.
    fn days(&self, window: Window, now_ms: i64) -> Option<(i64, i64)> {
        let now = Timestamp::from_millisecond(now_ms).ok()?;
        let mut first = first_day(window, self.0.to_datetime(now).date())?;
        loop {
            let next = next_first_day(window, first)?;
            let ends_ms = self.begins_ms(next)?;
            if now_ms < ends_ms {
                return Some((self.begins_ms(first)?, ends_ms));
            }
            // The clocks went back over the boundary: the next span had begun.
            first = next;
        }
    }

    /// The first moment at which the clocks show this date, or a later one where they skip it.
    fn begins_ms(&self, date: Date) -> Option<i64> {
        let midnight = DateTime::from_parts(date, Time::midnight());
        let offset = match self.0.to_ambiguous_timestamp(midnight).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { before, .. } => before,
            AmbiguousOffset::Gap { before, .. } => {
                // By the clock that was not set forward, this is within a gap's length of its begin.
                let skipped = before.to_timestamp(midnight).ok()?.as_millisecond();
                let until = Timestamp::from_millisecond(skipped + 1).ok()?;
                return Some(self.0.preceding(until).next()?.timestamp().as_millisecond());
            }
        };
        Some(offset.to_timestamp(midnight).ok()?.as_millisecond())
    }
}

/// The first day of the span of days that `date` is in.
fn first_day(window: Window, date: Date) -> Option<Date> {
    match window {
        Window::Never | Window::Fixed(_) | Window::Rolling(_) | Window::Hour => None,
        Window::Day => Some(date),
        Window::Week => {
            let mut monday = date;
            for _ in 0..date.weekday().to_monday_zero_offset() {
                monday = monday.yesterday().ok()?;
            }
            Some(monday)
        }
        Window::Month => Some(date.first_of_month()),
        Window::Quarter => Date::new(date.year(), (date.month() - 1) / 3 * 3 + 1, 1).ok(),
        Window::Year => Some(date.first_of_year()),
    }
}

/// The first day of the span after the one that begins with `first`.
fn next_first_day(window: Window, first: Date) -> Option<Date> {
    match window {
        Window::Never | Window::Fixed(_) | Window::Rolling(_) | Window::Hour => None,
        Window::Day => first.tomorrow().ok(),
        Window::Week => (0..7).try_fold(first, |day, _| day.tomorrow().ok()),
        Window::Month => months_on(first, 1),
        Window::Quarter => months_on(first, 3),
        Window::Year => months_on(first, 12),
    }
}

fn months_on(first: Date, months: i16) -> Option<Date> {
    let month = i16::from(first.month()) - 1 + months;
    let year = first.year() + month / 12;
    Date::new(year, i8::try_from(month % 12 + 1).ok()?, 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Half an hour and three quarters off, midnights that do not exist or exist twice, a skipped day, clocks
    /// set by half an hour, and by more than one at once.
    const ODD: [&str; 16] = [
        "Europe/Berlin",
        "America/New_York",
        "America/Sao_Paulo",
        "America/Asuncion",
        "America/Havana",
        "America/St_Johns",
        "Asia/Kathmandu",
        "Asia/Kolkata",
        "Asia/Beirut",
        "Asia/Tehran",
        "Australia/Lord_Howe",
        "Antarctica/Troll",
        "Africa/Casablanca",
        "Pacific/Apia",
        "Pacific/Chatham",
        "Pacific/Kwajalein",
    ];
    const CALENDAR: [Window; 6] =
        [Window::Hour, Window::Day, Window::Week, Window::Month, Window::Quarter, Window::Year];
    const STEP_MS: u64 = 15 * 60_000;
    const DAY_MS: u64 = 86_400_000;

    fn zone(name: &str) -> Zone {
        Zone::find(name).unwrap()
    }

    fn at(text: &str) -> u64 {
        u64::try_from(text.parse::<Timestamp>().unwrap().as_millisecond()).unwrap()
    }

    fn bounds(zone: &Zone, window: Window, now_ms: u64) -> (u64, u64) {
        let (starts, ends) = zone.bounds(window, UnixMillis(now_ms)).unwrap();
        (starts.0, ends.unwrap().0)
    }

    fn assert_day(name: &str, now: &str, starts: &str, ends: &str) {
        let found = bounds(&zone(name), Window::Day, at(now));
        assert_eq!(found, (at(starts), at(ends)), "{name} at {now}");
    }

    #[test]
    fn days_are_as_long_as_the_clocks_make_them() {
        let (now, starts) = ("2024-03-31T12:00:00Z", "2024-03-30T23:00:00Z");
        assert_day("Europe/Berlin", now, starts, "2024-03-31T22:00:00Z");
        let (now, starts) = ("2024-10-27T12:00:00Z", "2024-10-26T22:00:00Z");
        assert_day("Europe/Berlin", now, starts, "2024-10-27T23:00:00Z");
    }

    #[test]
    fn a_day_without_midnight_begins_after_the_gap() {
        // Clocks went from 24:00 to 1:00.
        let (now, starts) = ("2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z");
        assert_day("America/Sao_Paulo", now, starts, "2018-11-05T02:00:00Z");
    }

    #[test]
    fn a_midnight_that_comes_twice_begins_one_day() {
        // At 24:00 of the 17th clocks went back to 23:00.
        for now in ["2018-02-18T01:30:00Z", "2018-02-18T02:30:00Z"] {
            assert_day("America/Sao_Paulo", now, "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z");
        }
        // At 1:00 of the 4th clocks went back to 0:00.
        for now in ["2012-11-04T04:30:00Z", "2012-11-04T05:30:00Z"] {
            assert_day("America/Havana", now, "2012-11-04T04:00:00Z", "2012-11-05T05:00:00Z");
        }
        // At 0:01 of the 29th clocks went back to 23:01 of the 28th, which had been over.
        for now in ["2006-10-29T02:30:30Z", "2006-10-29T02:31:00Z", "2006-10-29T03:00:00Z"] {
            assert_day("America/St_Johns", now, "2006-10-29T02:30:00Z", "2006-10-30T03:30:00Z");
        }
    }

    #[test]
    fn a_skipped_day_is_nobodys() {
        let (now, starts) = ("2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z");
        assert_day("Pacific/Apia", now, starts, "2011-12-30T10:00:00Z");
        let (now, starts) = ("2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z");
        assert_day("Pacific/Apia", now, starts, "2011-12-31T10:00:00Z");
    }

    #[test]
    fn hours_and_weeks_are_those_of_the_place() {
        let kathmandu = bounds(&zone("Asia/Kathmandu"), Window::Hour, at("2024-01-01T00:20:00Z"));
        assert_eq!(kathmandu, (at("2024-01-01T00:15:00Z"), at("2024-01-01T01:15:00Z")));
        // At 2:00 clocks went back to 1:30.
        let lord_howe = zone("Australia/Lord_Howe");
        let cut = bounds(&lord_howe, Window::Hour, at("2024-04-06T15:10:00Z"));
        assert_eq!(cut, (at("2024-04-06T15:00:00Z"), at("2024-04-06T15:30:00Z")));
        // At 0:01 clocks went back to 23:01.
        let st_johns = zone("America/St_Johns");
        let [before, after] = ["2006-10-29T02:30:30Z", "2006-10-29T02:31:30Z"]
            .map(|now| bounds(&st_johns, Window::Hour, at(now)));
        assert_eq!(before, (at("2006-10-29T02:30:00Z"), at("2006-10-29T02:31:00Z")));
        assert_eq!(after, (at("2006-10-29T02:31:00Z"), at("2006-10-29T03:30:00Z")));
        let week = bounds(&zone("Europe/Berlin"), Window::Week, at("2024-03-31T12:00:00Z"));
        assert_eq!(week, (at("2024-03-24T23:00:00Z"), at("2024-03-31T22:00:00Z")));
    }

    /// What the clocks show, as a number that rises with each span of the window.
    fn shown(zone: &Zone, window: Window, now_ms: u64) -> i64 {
        let now = Timestamp::from_millisecond(i64::try_from(now_ms).unwrap()).unwrap();
        let shown = zone.0.to_datetime(now);
        let (year, month) = (i64::from(shown.year()), i64::from(shown.month()));
        let day = i64::from(shown.date().day_of_year()) + year * 366;
        match window {
            Window::Day => day,
            Window::Month => year * 12 + month,
            Window::Quarter => year * 4 + (month - 1) / 3,
            Window::Year => year,
            Window::Week => {
                let week = shown.date().iso_week_date();
                i64::from(week.year()) * 54 + i64::from(week.week())
            }
            Window::Hour | Window::Never | Window::Fixed(_) | Window::Rolling(_) => 0,
        }
    }

    /// Walks in quarters of an hour: a span begins where the clocks show a higher number than ever before.
    fn walk(zone: &Zone, window: Window, from_ms: u64, to_ms: u64) {
        let mut highest = shown(zone, window, from_ms);
        let mut last = bounds(zone, window, from_ms);
        let mut now_ms = from_ms;
        while now_ms < to_ms {
            now_ms += STEP_MS;
            let found = bounds(zone, window, now_ms);
            assert!((found.0..found.1).contains(&now_ms), "{window:?} at {now_ms}: {found:?}");
            let showing = shown(zone, window, now_ms);
            if showing > highest {
                assert_eq!(
                    found.0, last.1,
                    "{window:?} at {now_ms} begins where the last one ends"
                );
                assert!(now_ms - found.0 < STEP_MS, "{window:?} at {now_ms} begins late");
                (highest, last) = (showing, found);
            }
            assert_eq!(found, last, "{window:?} at {now_ms}");
        }
    }

    #[test]
    fn spans_are_those_of_a_slow_walk_around_every_setting_of_the_clocks() {
        let (from, to) = (at("2005-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        for name in ODD {
            let zone = zone(name);
            let start = Timestamp::from_millisecond(i64::try_from(from).unwrap()).unwrap();
            for set in zone.0.following(start) {
                let set_ms = u64::try_from(set.timestamp().as_millisecond()).unwrap();
                // Quarters of the hour, as boundaries are: clocks may show a new day for a minute only.
                let set_ms = set_ms - set_ms % STEP_MS;
                if set_ms > to {
                    break;
                }
                for window in [Window::Day, Window::Week, Window::Month] {
                    // From a moment all spans of the walk agree on: no clock is set within it.
                    walk(&zone, window, set_ms - 3 * DAY_MS, set_ms + 3 * DAY_MS);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_span_holds_its_now_and_the_next_begins_where_it_ends(
            name in prop::sample::select(names()),
            window in prop::sample::select(CALENDAR.to_vec()),
            now_ms in 0..4_102_444_800_000_u64,
        ) {
            let zone = zone(&name);
            let (starts, ends) = bounds(&zone, window, now_ms);
            prop_assert!(starts <= now_ms && now_ms < ends, "{name}: {starts} {ends}");
            prop_assert_eq!(bounds(&zone, window, starts), (starts, ends));
            prop_assert_eq!(bounds(&zone, window, ends - 1), (starts, ends));
            prop_assert_eq!(bounds(&zone, window, ends).0, ends);
        }
    }
}
