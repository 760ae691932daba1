//! What happens on the way to a limit: a cheaper model, or fewer requests.

use super::policy;
use super::way::Way;
use crate::plane::core::Core;
use cluster::rates::Begun;
use ledger::view::{self, AccountTerms};
use ledger::{Action, Ledger, RateLimits, UnixMillis};
use std::collections::BTreeMap;
use wire::Refusal;

/// The steps that the accounts of a way have reached.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    /// The model, or alias, that serves instead of the one asked for.
    pub(crate) downgrade: Option<String>,
    /// Requests a minute, by the budget and subject that allows no more: the lowest of its accounts.
    throttles: BTreeMap<(String, String), u64>,
}

/// The steps reached; looked up only where there are any.
pub(crate) fn reached(ledger: &Ledger, way: &Way) -> Steps {
    if !way.steps {
        return Steps::default();
    }
    of_actions(&way.facts.accounts, view::steps_reached(ledger, &way.facts.accounts))
}

/// Of several downgrades the last one counts: its account has the highest number.
fn of_actions(accounts: &[AccountTerms], reached: Vec<(usize, Action)>) -> Steps {
    let mut steps = Steps::default();
    for (at, action) in reached {
        match action {
            Action::Downgrade(model) => steps.downgrade = Some(model),
            Action::Throttle(per_minute) => {
                let account = &accounts[at];
                let whose = (account.budget.clone(), account.subject.clone());
                let lowest = steps.throttles.entry(whose).or_insert(per_minute);
                *lowest = per_minute.min(*lowest);
            }
        }
    }
    steps
}

impl Steps {
    /// Takes a place under each throttle; all are given back where one refuses.
    ///
    /// # Errors
    ///
    /// The budget that allows no more requests at present.
    pub(crate) async fn throttle(
        &self,
        core: &Core,
        tokens: u64,
        now: UnixMillis,
    ) -> Result<Vec<Begun>, Refusal> {
        let mut all = Vec::with_capacity(self.throttles.len());
        for ((budget, subject), per_minute) in &self.throttles {
            let limits =
                RateLimits { requests_per_minute: Some(*per_minute), ..RateLimits::default() };
            let terms = core.rates().terms(&format!("throttle:{budget}/{subject}"), limits);
            match core.rates().begin(&terms, now.0, tokens, policy::SHARE_WITHIN).await {
                Ok(begun) => all.push(begun),
                Err(limited) => {
                    all.into_iter().for_each(Begun::cancel);
                    return Err(policy::throttled(budget, &limited));
                }
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{AccountId, Mode, Unit, Window, WithoutQuorum};

    fn account(budget: &str, number: u64) -> AccountTerms {
        AccountTerms {
            account: AccountId { budget: number, window: 0 },
            period: 1,
            unit: Unit::NanoUsd,
            mode: Mode::Soft,
            limit: 1,
            ends_at: None,
            budget: budget.to_owned(),
            subject: String::new(),
            window: Window::Never,
            without_quorum: WithoutQuorum::Strict,
            steps: Vec::new(),
        }
    }

    #[test]
    fn the_last_downgrade_and_the_lowest_throttle_of_a_budget_count() {
        let accounts = [account("a", 1), account("a", 2), account("b", 3)];
        let reached = vec![
            (0, Action::Downgrade("small".to_owned())),
            (0, Action::Throttle(60)),
            (1, Action::Throttle(6)),
            (2, Action::Downgrade("tiny".to_owned())),
            (2, Action::Throttle(9)),
        ];
        let steps = of_actions(&accounts, reached);
        assert_eq!(steps.downgrade.as_deref(), Some("tiny"));
        let throttles: Vec<_> =
            steps.throttles.iter().map(|((name, _), n)| (&**name, *n)).collect();
        assert_eq!(throttles, [("a", 6), ("b", 9)]);
        assert_eq!(of_actions(&accounts, Vec::new()), Steps::default());
    }
}
