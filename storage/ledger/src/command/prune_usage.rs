//! Forgets rows of usage of days long past.

use crate::{Denial, Ledger};

/// Forgets rows of usage of days long past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PruneUsage {
    /// Rows of earlier days go.
    pub before_day: u32,
}

impl PruneUsage {
    pub(super) fn apply(&self, ledger: &mut Ledger) -> Result<(), Denial> {
        ledger.forget_usage(self.before_day);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UsageKey;
    use crate::command::Command;
    use crate::sample::Log;
    use crate::{UsageLine, UsageSums, usage};

    #[test]
    fn rows_of_earlier_days_go_and_the_day_itself_stays() {
        let mut log = Log::sample();
        let sums = UsageSums { requests: 1, ..UsageSums::default() };
        for day in [3, 4, 5] {
            let key = UsageKey { day, ..UsageKey::default() };
            usage::add(&mut log.ledger, &[UsageLine { key, sums }]);
        }
        log.done(Command::PruneUsage(PruneUsage { before_day: 5 }));
        let days: Vec<u32> = log.ledger.usage.keys().map(|key| key.day).collect();
        assert_eq!(days, [5]);
    }
}
