//! What happens on the way to a limit?

use super::AccountTerms;
use crate::{Action, Ledger};

/// The steps these accounts have reached, by the share of their limit that is known to be spent: of each
/// account, by its place, the last downgrade and the last throttle.
pub fn steps_reached(ledger: &Ledger, accounts: &[AccountTerms]) -> Vec<(usize, Action)> {
    let mut reached = Vec::new();
    for (place, terms) in accounts.iter().enumerate() {
        if terms.steps.is_empty() {
            continue;
        }
        let Some(account) = ledger.accounts.get(&terms.account) else {
            continue;
        };
        let (spent, limit) = (account.spent(), account.limit());
        let (mut downgrade, mut throttle) = (None, None);
        for step in &terms.steps {
            if !is_reached(spent, limit, step.at_percent) {
                continue;
            }
            match &step.action {
                Action::Downgrade(_) => downgrade = Some(&step.action),
                Action::Throttle(_) => throttle = Some(&step.action),
            }
        }
        let last = downgrade.into_iter().chain(throttle);
        reached.extend(last.map(|action| (place, action.clone())));
    }
    reached
}

/// Whether `percent` of the limit is spent. Of a limit of nothing, everything is.
fn is_reached(spent: i64, limit: i64, percent: u8) -> bool {
    i128::from(spent) * 100 >= i128::from(limit) * i128::from(percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, NODES, budget, line, put_budget};
    use crate::view::accounts_of;
    use crate::{Budget, Step};

    fn step(at_percent: u8, action: Action) -> Step {
        Step { at_percent, action }
    }

    fn downgrade(model: &str) -> Action {
        Action::Downgrade(model.to_owned())
    }

    #[test]
    fn the_last_step_of_each_kind_that_is_reached_counts() {
        let mut log = Log::sample();
        let steps = vec![
            step(50, downgrade("mini")),
            step(60, Action::Throttle(10)),
            step(80, downgrade("nano")),
            step(90, Action::Throttle(1)),
        ];
        let team = log.ledger.budgets["team"].clone();
        log.done(put_budget(Budget { steps, ..team }));
        log.refill(NODES[0], line(0, 0, 500));
        let reached = |log: &Log| {
            let key = log.ledger.living_key("ann").unwrap();
            steps_reached(&log.ledger, &accounts_of(&log.ledger, key))
        };
        assert_eq!(reached(&log), [], "what is only granted is not spent");
        log.refill(NODES[0], line(499, 0, 0));
        assert_eq!(reached(&log), []);
        log.refill(NODES[0], line(500, 0, 400));
        assert_eq!(reached(&log), [(0, downgrade("mini"))]);
        log.refill(NODES[0], line(800, 0, 0));
        assert_eq!(reached(&log), [(0, downgrade("nano")), (0, Action::Throttle(10))]);
        log.roll();
        assert_eq!(reached(&log), []);
    }

    #[test]
    fn of_a_limit_of_nothing_every_step_is_reached() {
        let mut log = Log::sample();
        let steps = vec![step(100, downgrade("mini"))];
        log.done(put_budget(Budget { steps, ..budget("team", 0) }));
        let key = log.ledger.living_key("ann").unwrap();
        let reached = steps_reached(&log.ledger, &accounts_of(&log.ledger, key));
        assert_eq!(reached, [(0, downgrade("mini"))]);
    }
}
