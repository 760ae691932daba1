//! Selectors are found by their label: the map by label is what the selectors say.

use super::ensure;
use crate::Ledger;

/// Files every selector anew and compares.
pub(super) fn check(ledger: &Ledger) -> Result<(), String> {
    let mut filed = Ledger::default();
    for selector in ledger.selectors.values() {
        filed.file_selector(selector.clone());
    }
    ensure(filed.selectors == ledger.selectors, || {
        "a selector is filed under another name than its own".to_owned()
    })?;
    ensure(filed.selectors_by_label == ledger.selectors_by_label, || {
        format!("selectors are filed under {:?}", ledger.selectors_by_label)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, put_selector, selector};

    #[test]
    fn a_selector_nobody_finds_is_caught() {
        let mut log = Log::sample();
        log.done(put_selector(selector("dev", &[("env", "dev")])));
        log.done(put_selector(selector("all", &[])));
        assert_eq!(check(&log.ledger), Ok(()));
        let breaks: [fn(&mut Ledger); 3] = [
            |ledger| assert!(ledger.selectors.remove_mut("dev")),
            |ledger| drop(ledger.selectors_by_label.get_mut(&Default::default()).unwrap().pop()),
            |ledger| ledger.selectors.get_mut("dev").unwrap().name = "prod".to_owned(),
        ];
        for broken in breaks {
            let mut ledger = log.ledger.clone();
            broken(&mut ledger);
            assert!(check(&ledger).is_err());
        }
    }
}
