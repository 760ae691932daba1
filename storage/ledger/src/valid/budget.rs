//! Budgets.

use super::{invalid, managed_by, model_name, name};
use crate::budget::{
    FIXED_MS_MAX, FIXED_MS_MIN, ROLLING_MS_MIN, STEPS_MAX, THRESHOLDS_MAX, WINDOWS_MAX,
};
use crate::{Action, Budget, BudgetWindow, Denial, NanoUsd, Per, Step, Window, WithoutQuorum};

/// Shortest life of a session.
pub const SESSION_MS_MIN: u64 = 1_000;
/// Longest life of a session: a year of 365 days.
pub const SESSION_MS_MAX: u64 = 365 * 86_400_000;
/// Longest name of a time zone.
pub const TIME_ZONE_BYTES_MAX: usize = 64;

/// A budget.
pub(crate) fn budget(budget: &Budget) -> Result<(), Denial> {
    name("name", &budget.name)?;
    managed_by(&budget.managed_by)?;
    let count = budget.windows.len();
    if count == 0 || count > WINDOWS_MAX {
        return invalid("windows", format!("has {count}, 1 to 3 are allowed"));
    }
    for (position, window) in budget.windows.iter().enumerate() {
        budget_window(window)?;
        let earlier = &budget.windows[..position];
        if earlier.iter().any(|other| other.window == window.window) {
            return invalid("windows", format!("names {:?} twice", window.window));
        }
    }
    time_zone(&budget.time_zone)?;
    per(budget.per)?;
    without_quorum(budget.without_quorum)?;
    thresholds(&budget.thresholds)?;
    steps(&budget.steps)
}

/// The spelling of a time zone's name. Whether there is one of that name is for the proposer to know.
fn time_zone(zone: &str) -> Result<(), Denial> {
    if zone.len() > TIME_ZONE_BYTES_MAX || !zone.bytes().all(|b| b.is_ascii_graphic()) {
        return invalid("time_zone", format!("{zone:?} is not the name of a time zone"));
    }
    Ok(())
}

fn per(per: Per) -> Result<(), Denial> {
    match per {
        Per::Session { ttl_ms } if !(SESSION_MS_MIN..=SESSION_MS_MAX).contains(&ttl_ms) => {
            invalid("per", format!("a session of {ttl_ms} ms is not within 1 second to a year"))
        }
        Per::Session { .. } | Per::All | Per::Key | Per::User | Per::Tag => Ok(()),
    }
}

fn without_quorum(policy: WithoutQuorum) -> Result<(), Denial> {
    match policy {
        WithoutQuorum::Degraded(more) if !(0..=NanoUsd::LIMIT_MAX.0).contains(&more) => {
            invalid("without_quorum", format!("{more} is not within 0 to 10^18"))
        }
        WithoutQuorum::Degraded(_) | WithoutQuorum::Strict | WithoutQuorum::Open => Ok(()),
    }
}

/// Percentages of 1 to 100, each above the one before.
fn thresholds(thresholds: &[u8]) -> Result<(), Denial> {
    if thresholds.len() > THRESHOLDS_MAX {
        let count = thresholds.len();
        return invalid("thresholds", format!("has {count}, at most 8 are allowed"));
    }
    if let Some(odd) = thresholds.iter().find(|percent| !(1..=100).contains(*percent)) {
        return invalid("thresholds", format!("{odd} is not within 1 to 100"));
    }
    match thresholds.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => invalid("thresholds", format!("{} follows {}", pair[1], pair[0])),
        None => Ok(()),
    }
}

/// Steps at 1 to 100 percent, none below the one before.
fn steps(steps: &[Step]) -> Result<(), Denial> {
    if steps.len() > STEPS_MAX {
        let count = steps.len();
        return invalid("steps", format!("has {count}, at most 8 are allowed"));
    }
    for step in steps {
        let percent = step.at_percent;
        if !(1..=100).contains(&percent) {
            return invalid("steps", format!("{percent} is not within 1 to 100"));
        }
        match &step.action {
            Action::Downgrade(model) => model_name("steps", model)?,
            Action::Throttle(_) => {}
        }
    }
    match steps.windows(2).find(|pair| pair[0].at_percent > pair[1].at_percent) {
        Some(pair) => {
            let (before, after) = (pair[0].at_percent, pair[1].at_percent);
            invalid("steps", format!("{after} follows {before}"))
        }
        None => Ok(()),
    }
}

fn budget_window(window: &BudgetWindow) -> Result<(), Denial> {
    let limit = window.limit;
    if !(0..=NanoUsd::LIMIT_MAX.0).contains(&limit) {
        return invalid("limit", format!("{limit} is not within 0 to 10^18"));
    }
    match window.window {
        Window::Fixed(ms) if !(FIXED_MS_MIN..=FIXED_MS_MAX).contains(&ms) => invalid(
            "windows",
            format!("a fixed window of {ms} ms is not within 1 second to 10 years"),
        ),
        Window::Rolling(ms) if !(ROLLING_MS_MIN..=FIXED_MS_MAX).contains(&ms) => invalid(
            "windows",
            format!("a rolling window of {ms} ms is not within 24 seconds to 10 years"),
        ),
        Window::Fixed(_)
        | Window::Rolling(_)
        | Window::Never
        | Window::Hour
        | Window::Day
        | Window::Week
        | Window::Month
        | Window::Quarter
        | Window::Year => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    type Break = (&'static str, fn(&mut Budget));

    fn downgrade(at_percent: u8, model: &str) -> Step {
        Step { at_percent, action: Action::Downgrade(model.to_owned()) }
    }

    #[test]
    fn what_a_budget_may_not_be_is_named() {
        let breaks: [Break; 15] = [
            ("windows", |budget| budget.windows.clear()),
            ("windows", |budget| budget.windows = vec![budget.windows[0]; 2]),
            ("windows", |budget| budget.windows[0].window = Window::Rolling(23_999)),
            ("limit", |budget| budget.windows[0].limit = -1),
            ("time_zone", |budget| budget.time_zone = "Europe/Zurich now".to_owned()),
            ("per", |budget| budget.per = Per::Session { ttl_ms: 999 }),
            ("per", |budget| budget.per = Per::Session { ttl_ms: SESSION_MS_MAX + 1 }),
            ("without_quorum", |budget| budget.without_quorum = WithoutQuorum::Degraded(-1)),
            ("thresholds", |budget| budget.thresholds = vec![0]),
            ("thresholds", |budget| budget.thresholds = vec![50, 101]),
            ("thresholds", |budget| budget.thresholds = vec![50, 50]),
            ("thresholds", |budget| budget.thresholds = (1..10).collect()),
            ("steps", |budget| budget.steps = vec![downgrade(0, "mini")]),
            ("steps", |budget| budget.steps = vec![downgrade(50, "")]),
            ("steps", |budget| budget.steps = vec![downgrade(60, "a"), downgrade(50, "b")]),
        ];
        for (number, (field, broken)) in breaks.into_iter().enumerate() {
            let mut team = sample::budget("team", 5);
            assert_eq!(budget(&team), Ok(()));
            broken(&mut team);
            let denied = budget(&team);
            assert!(
                matches!(&denied, Err(Denial::Invalid(named, _)) if *named == field),
                "{number}: {denied:?}"
            );
        }
    }

    #[test]
    fn thresholds_and_steps_may_rise_to_the_limit_itself() {
        let mut team = sample::budget("team", 5);
        team.thresholds = vec![50, 80, 95, 100];
        let throttle = Step { at_percent: 80, action: Action::Throttle(0) };
        team.steps = vec![downgrade(80, "mini"), throttle, downgrade(100, "openai/nano")];
        team.per = Per::Session { ttl_ms: SESSION_MS_MIN };
        assert_eq!(budget(&team), Ok(()));
    }
}
