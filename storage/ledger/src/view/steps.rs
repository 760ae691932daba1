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
        let Some(present) = account.present() else {
            continue;
        };
        let (mut downgrade, mut throttle) = (None, None);
        for step in &terms.steps {
            if !is_reached(present.spent(), present.limit, step.at_percent) {
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
