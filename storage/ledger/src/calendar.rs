//! When a budget's period begins and ends. The proposer asks, and entries carry the answer: nodes whose
//! time zone data differ still hold the same ledger.

mod utc;
mod zone;

use crate::{Budget, UnixMillis, Window};
use std::collections::BTreeMap;
use std::fmt;
use zone::Zone;

/// Start and end of a period. The end is the first moment outside; `None`: never.
pub type Span = (UnixMillis, Option<UnixMillis>);

/// A time zone the data of this program do not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTimeZone(pub String);

impl fmt::Display for UnknownTimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no time zone {:?}", self.0)
    }
}

impl std::error::Error for UnknownTimeZone {}

/// The first period of each window of a budget, or of an instance of it, that begins to count at `now`.
///
/// # Errors
///
/// The budget's time zone is unknown.
pub fn first_periods(budget: &Budget, now: UnixMillis) -> Result<Vec<Span>, UnknownTimeZone> {
    let mut calendar = Calendar::default();
    let windows = budget.windows.iter();
    windows.map(|terms| calendar.period_bounds(terms.window, &budget.time_zone, now, now)).collect()
}

/// Start and end of the period that `now` falls into.
///
/// Fixed and rolling windows count from `created_at`, and a `now` before that is in the first of them. A
/// window that never starts anew began at `created_at` and has no end. In a time zone an hour, day, week,
/// month, quarter or year begins with the first moment at which its clocks show it: where midnight does
/// not exist, with the moment after the gap; where it exists twice, with the first of them. A date the
/// clocks return to has begun before, and does not begin again.
///
/// # Errors
///
/// The window is a calendar's, and the time zone is unknown.
pub fn period_bounds(
    window: Window,
    time_zone: &str,
    created_at: UnixMillis,
    now: UnixMillis,
) -> Result<Span, UnknownTimeZone> {
    Calendar::default().period_bounds(window, time_zone, created_at, now)
}

/// Whether this program knows a time zone of that name; the empty name is UTC.
pub fn is_time_zone(name: &str) -> bool {
    is_utc(name) || Zone::find(name).is_some()
}

/// The names of all time zones this program knows.
pub fn time_zones() -> Vec<String> {
    zone::names()
}

/// Whether periods of such a window follow the clocks of a place: only the proposer can tell them. All
/// others are computed alike by everybody.
pub(crate) fn is_local(window: Window, time_zone: &str) -> bool {
    let of_calendar = match window {
        Window::Never | Window::Fixed(_) | Window::Rolling(_) => false,
        Window::Hour
        | Window::Day
        | Window::Week
        | Window::Month
        | Window::Quarter
        | Window::Year => true,
    };
    of_calendar && !is_utc(time_zone)
}

/// The first period of a window that [is not local](is_local).
pub(crate) fn first_of_all(window: Window, now: UnixMillis) -> Span {
    utc::bounds(window, now, now)
}

fn is_utc(time_zone: &str) -> bool {
    matches!(time_zone, "" | "UTC" | "Etc/UTC")
}

/// Time zones looked up once for many questions.
#[derive(Default)]
pub(crate) struct Calendar {
    zones: BTreeMap<String, Zone>,
}

impl Calendar {
    pub(crate) fn period_bounds(
        &mut self,
        window: Window,
        time_zone: &str,
        created_at: UnixMillis,
        now: UnixMillis,
    ) -> Result<Span, UnknownTimeZone> {
        let in_utc = utc::bounds(window, created_at, now);
        if !is_local(window, time_zone) {
            return Ok(in_utc);
        }
        if !self.zones.contains_key(time_zone) {
            let unknown = || UnknownTimeZone(time_zone.to_owned());
            let zone = Zone::find(time_zone).ok_or_else(unknown)?;
            self.zones.insert(time_zone.to_owned(), zone);
        }
        let zone = self.zones.get(time_zone);
        // Time zones have rules up to the year 9999; who gets there counts in UTC.
        Ok(zone.and_then(|zone| zone.bounds(window, now)).unwrap_or(in_utc))
    }

    /// As [`Calendar::period_bounds`], in UTC where the time zone is unknown.
    pub(crate) fn period_or_utc(
        &mut self,
        window: Window,
        time_zone: &str,
        created_at: UnixMillis,
        now: UnixMillis,
    ) -> Span {
        let known = self.period_bounds(window, time_zone, created_at, now);
        known.unwrap_or_else(|_unknown| utc::bounds(window, created_at, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BudgetWindow;

    #[test]
    fn an_unknown_time_zone_is_named_and_matters_to_calendars_only() {
        let now = UnixMillis(1_709_210_096_000);
        let mut budget = Budget { time_zone: "Europe/Zurch".to_owned(), ..Budget::default() };
        let window = |window| BudgetWindow { window, limit: 1 };
        budget.windows = vec![window(Window::Fixed(1_000)), window(Window::Never)];
        assert_eq!(first_periods(&budget, now).unwrap()[1], (now, None));
        budget.windows.push(window(Window::Day));
        let unknown = first_periods(&budget, now).unwrap_err();
        assert_eq!(unknown.to_string(), "there is no time zone \"Europe/Zurch\"");
        budget.time_zone = "Europe/Zurich".to_owned();
        let midnight = (UnixMillis(1_709_161_200_000), Some(UnixMillis(1_709_247_600_000)));
        assert_eq!(first_periods(&budget, now).unwrap()[2], midnight);
    }

    #[test]
    fn time_zones_are_listed_and_utc_needs_no_data() {
        assert!(is_time_zone("") && is_time_zone("UTC") && is_time_zone("Pacific/Apia"));
        assert!(!is_time_zone("Mars/Olympus"));
        assert!(time_zones().iter().any(|name| name == "Asia/Kathmandu"));
    }
}
