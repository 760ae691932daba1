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
