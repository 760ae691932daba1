//! Profiles: templates of keys. What a profile says, its keys say; the rest is theirs.

use crate::{Allow, Denial, Narrowed, RateLimits, VirtualKey};
use std::collections::BTreeMap;

/// A template of keys. A field that is `Some` is the profile's: its keys have that value, get the new one
/// with each change of the profile, and cannot have another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Profile {
    /// Unique name.
    pub name: String,
    /// [`crate::VirtualKey::providers`].
    pub providers: Option<Allow>,
    /// [`crate::VirtualKey::models`].
    pub models: Option<Allow>,
    /// [`crate::VirtualKey::budgets`].
    pub budgets: Option<Vec<String>>,
    /// [`crate::VirtualKey::limits`].
    pub limits: Option<RateLimits>,
    /// [`crate::VirtualKey::narrowed`].
    pub narrowed: Option<Vec<Narrowed>>,
    /// [`crate::VirtualKey::labels`].
    pub labels: Option<BTreeMap<String, String>>,
    /// [`crate::VirtualKey::tags`].
    pub tags: Option<Vec<String>>,
    /// [`crate::VirtualKey::may_open_sessions`].
    pub may_open_sessions: Option<bool>,
    /// [`crate::VirtualKey::drain_on_disconnect`].
    pub drain_on_disconnect: Option<bool>,
    /// [`crate::VirtualKey::may_use_files`].
    pub may_use_files: Option<bool>,
    /// Who owns it.
    pub managed_by: String,
    /// Log index of its last change; its `ETag`.
    pub changed_index: u64,
}

impl Profile {
    /// Gives a key the profile's values.
    pub(crate) fn impose_on(&self, key: &mut VirtualKey) {
        impose(self.providers.as_ref(), &mut key.providers);
        impose(self.models.as_ref(), &mut key.models);
        impose(self.budgets.as_ref(), &mut key.budgets);
        impose(self.limits.as_ref(), &mut key.limits);
        impose(self.narrowed.as_ref(), &mut key.narrowed);
        impose(self.labels.as_ref(), &mut key.labels);
        impose(self.tags.as_ref(), &mut key.tags);
        impose(self.may_open_sessions.as_ref(), &mut key.may_open_sessions);
        impose(self.drain_on_disconnect.as_ref(), &mut key.drain_on_disconnect);
        impose(self.may_use_files.as_ref(), &mut key.may_use_files);
    }

    /// Checks that a key which is put says nothing else than the profile, where it says anything.
    pub(crate) fn agrees_with(&self, key: &VirtualKey) -> Result<(), Denial> {
        let disagrees = [
            ("providers", differs(self.providers.as_ref(), &key.providers)),
            ("models", differs(self.models.as_ref(), &key.models)),
            ("budgets", differs(self.budgets.as_ref(), &key.budgets)),
            ("limits", differs(self.limits.as_ref(), &key.limits)),
            ("narrowed", differs(self.narrowed.as_ref(), &key.narrowed)),
            ("labels", differs(self.labels.as_ref(), &key.labels)),
            ("tags", differs(self.tags.as_ref(), &key.tags)),
            ("may_open_sessions", differs(self.may_open_sessions.as_ref(), &key.may_open_sessions)),
            (
                "drain_on_disconnect",
                differs(self.drain_on_disconnect.as_ref(), &key.drain_on_disconnect),
            ),
            ("may_use_files", differs(self.may_use_files.as_ref(), &key.may_use_files)),
        ];
        match disagrees.into_iter().find(|(_, differs)| *differs) {
            Some((field, _)) => {
                let reason = format!("is owned by profile {}, which has another value", self.name);
                Err(Denial::Invalid(field, reason))
            }
            None => Ok(()),
        }
    }
}

fn impose<T: Clone>(own: Option<&T>, value: &mut T) {
    if let Some(own) = own {
        value.clone_from(own);
    }
}

/// Whether a key says something, and something else than the profile. What it leaves at the default it
/// does not say.
fn differs<T: Default + PartialEq>(own: Option<&T>, value: &T) -> bool {
    own.is_some_and(|own| own != value && *value != T::default())
}
