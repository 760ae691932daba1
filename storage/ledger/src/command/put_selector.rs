//! Creates or replaces a selector, by name.

use super::At;
use crate::view::{scopes_of, selects};
use crate::{Change, Denial, Ledger, Selector, guard, valid};

/// Creates or replaces a selector, by name.
///
/// Its budgets exist. No key it looks at may come to be charged to more accounts than a path may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutSelector {
    /// The selector as it shall be. `changed_index` is set by the ledger.
    pub selector: Selector,
    /// Log index of the change it replaces; `Some(0)`: there must be none.
    pub if_index: Option<u64>,
}

impl PutSelector {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let present = ledger.selectors.get(&self.selector.name);
        guard::index(self.if_index, present.map(|present| present.changed_index))?;
        let mut selector = self.selector.clone();
        if let Some(present) = present {
            guard::owner(&present.managed_by, &selector.managed_by)?;
            selector.changed_index = present.changed_index;
            if selector == *present {
                return Ok(Vec::new());
            }
        }
        valid::selector(&selector)?;
        guard::budgets_exist(ledger, &selector.budgets, &selector.narrowed)?;
        selector.changed_index = at.index;
        let mut after = ledger.clone();
        let charges = selector.charges();
        after.file_selector(selector);
        for key in guard::living_keys(&after).filter(|_| charges) {
            if selects(&self.selector, key, &scopes_of(&after, key)) {
                guard::path_fits(&after, key)?;
            }
        }
        *ledger = after;
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VirtualKey;
    use crate::sample::{Log, budget, key, labels, put_budget, put_key, put_selector, selector};

    #[test]
    fn a_selector_is_found_by_its_present_labels_only() {
        let mut log = Log::sample();
        log.done(put_selector(selector("dev", &[("env", "dev")])));
        let put_again = log.done(put_selector(selector("dev", &[("env", "dev")])));
        assert_eq!(put_again, []);
        assert_eq!(log.done(put_selector(selector("dev", &[("env", "test")]))), [Change::Config]);
        let found: Vec<_> = log.ledger.selectors_by_label.iter().collect();
        let label = ("env".to_owned(), "test".to_owned());
        assert_eq!(found, [(&label, &vec!["dev".to_owned()])]);
    }

    #[test]
    fn a_selector_never_leads_a_key_to_more_accounts_than_a_path_may_have() {
        let mut log = Log::sample();
        let names: Vec<String> = (0..32).map(|n| format!("b{n}")).collect();
        let with = |name, wanted, budgets: &[String]| Selector {
            budgets: budgets.to_vec(),
            ..selector(name, wanted)
        };
        let all = with("all", &[], &names[..16]);
        assert_eq!(
            log.denied(put_selector(all.clone())),
            Denial::NotFound("budget", "b0".to_owned())
        );
        for name in &names {
            log.done(put_budget(budget(name, 5)));
        }
        log.done(put_selector(all));
        log.done(put_selector(with("dev", &[("env", "dev")], &names[16..])));
        let reason = "key ann would be charged to 33 accounts, 32 are allowed".to_owned();
        let too_many = Denial::Invalid("budgets", reason);
        let dev = VirtualKey { labels: labels(&[("env", "dev")]), ..key("ann", 1) };
        assert_eq!(log.denied(put_key(dev)), too_many);
        let denial = log.denied(put_selector(with("rest", &[], &names[16..])));
        assert_eq!(denial, too_many);
    }
}
