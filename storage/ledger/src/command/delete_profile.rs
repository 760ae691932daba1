//! Deletes a profile that no living key has.

use super::At;
use crate::{Change, Denial, Ledger, guard};

/// Deletes a profile that no living key has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteProfile {
    /// Its name.
    pub name: String,
    /// Who asks; what a file owns is deleted only in its name.
    pub managed_by: String,
    /// Log index of the change it follows.
    pub if_index: Option<u64>,
}

impl DeleteProfile {
    pub(super) fn apply(&self, ledger: &mut Ledger, at: At) -> Result<Vec<Change>, Denial> {
        let Some(present) = ledger.profiles.get(&self.name) else {
            return Err(Denial::NotFound("profile", self.name.clone()));
        };
        guard::index(self.if_index, Some(present.changed_index))?;
        guard::owner(&present.managed_by, &self.managed_by)?;
        let keys =
            guard::living_keys(ledger).filter(|key| key.profile.as_ref() == Some(&self.name));
        guard::unused("key", keys.map(|key| &key.name))?;
        ledger.profiles.remove_mut(&self.name);
        Ok(at.config_changed(ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VirtualKey;
    use crate::command::Command;
    use crate::sample::{Log, key, profile, put_key, put_profile};

    #[test]
    fn a_profile_of_a_living_key_is_not_deleted() {
        let mut log = Log::sample();
        let delete = Command::DeleteProfile(DeleteProfile {
            name: "dev".to_owned(),
            managed_by: "api:ann".to_owned(),
            if_index: None,
        });
        let missing = Denial::NotFound("profile", "dev".to_owned());
        assert_eq!(log.denied(delete.clone()), missing);
        log.done(put_profile(profile("dev")));
        log.done(put_key(VirtualKey { profile: Some("dev".to_owned()), ..key("bob", 2) }));
        assert_eq!(log.denied(delete.clone()), Denial::InUse("key bob".to_owned()));
        log.revoke("bob");
        assert_eq!(log.done(delete), [Change::Config]);
    }
}
