//! Names the cluster; the first entry of its log. A second one is denied.

use super::At;
use crate::{Change, Denial, Ledger, Sealed};

/// Names the cluster; the first entry of its log.
///
/// The same once more is a repetition; another one is denied, so the first in the log wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitCluster {
    /// The cluster's id, drawn by the founder.
    pub cluster_id: String,
    /// Key of the keyed hash of virtual keys, sealed.
    pub key_pepper: Sealed,
}

impl InitCluster {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        if self.cluster_id.is_empty() {
            return Err(Denial::Invalid("cluster_id", "is empty".to_owned()));
        }
        if ledger.cluster_id == self.cluster_id
            && ledger.key_pepper.as_ref() == Some(&self.key_pepper)
        {
            return Ok(Vec::new());
        }
        if !ledger.cluster_id.is_empty() {
            return Err(Denial::AlreadyInitialised(ledger.cluster_id.clone()));
        }
        ledger.cluster_id.clone_from(&self.cluster_id);
        ledger.key_pepper = Some(self.key_pepper.clone());
        ledger.cluster_version = Ledger::FIRST_VERSION;
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Log, sealed};
    use crate::{Outcome, command::Command};

    #[test]
    fn the_first_cluster_id_in_the_log_wins() {
        let mut log = Log::default();
        let init = |id: &str| {
            Command::InitCluster(InitCluster { cluster_id: id.to_owned(), key_pepper: sealed() })
        };
        assert_eq!(log.done(init("one")), [Change::Config]);
        assert_eq!(log.done(init("one")), []);
        let taken = Denial::AlreadyInitialised("one".to_owned());
        assert_eq!(log.propose(init("two")).0, Outcome::Denied(taken));
        assert_eq!((log.ledger.cluster_version, log.ledger.config_index), (1, 1));
    }
}
