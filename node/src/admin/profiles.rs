//! Access profiles.

use super::Node;
use super::resource::{Farewell, Kept, Wish};
use super::terms::{allowed_in, allowed_out, limits_in, limits_out, narrowed_in, narrowed_out};
use api::admin::Answer;
use api::admin::v1::profiles::{self, Owned, Profiles};
use ledger::command::{Command, DeleteProfile, PutProfile};
use ledger::{Ledger, Profile};

impl Kept for Profiles {
    type Stored = Profile;

    fn all(ledger: &Ledger) -> impl Iterator<Item = &Profile> {
        ledger.profiles.values()
    }

    fn stored<'l>(ledger: &'l Ledger, name: &str) -> Option<&'l Profile> {
        ledger.profiles.get(name)
    }

    fn name_of(profile: &Profile) -> &str {
        &profile.name
    }

    fn shown(ledger: &Ledger, profile: &Profile) -> profiles::Profile {
        let living = ledger.keys_by_name.values().filter_map(|id| ledger.keys.get(id));
        let owned = Owned {
            providers: profile.providers.as_ref().map(allowed_out),
            models: profile.models.as_ref().map(allowed_out),
            budgets: profile.budgets.clone(),
            limits: profile.limits.map(limits_out),
            narrowed: profile.narrowed.as_deref().map(narrowed_out),
            labels: profile.labels.clone(),
            tags: profile.tags.clone(),
            may_open_sessions: profile.may_open_sessions,
            drain_on_disconnect: profile.drain_on_disconnect,
            may_use_files: profile.may_use_files,
        };
        profiles::Profile {
            name: profile.name.clone(),
            owned,
            keys: living.filter(|key| key.profile.as_ref() == Some(&profile.name)).count(),
            managed_by: profile.managed_by.clone(),
            changed_index: profile.changed_index,
        }
    }

    fn put(_: &Node, wish: Wish<Self>) -> Answer<Command> {
        let owned = wish.settings.owned;
        let profile = Profile {
            name: wish.name,
            providers: owned.providers.map(allowed_in),
            models: owned.models.map(allowed_in),
            budgets: owned.budgets,
            limits: owned.limits.map(limits_in),
            narrowed: owned.narrowed.map(narrowed_in),
            labels: owned.labels,
            tags: owned.tags,
            may_open_sessions: owned.may_open_sessions,
            drain_on_disconnect: owned.drain_on_disconnect,
            may_use_files: owned.may_use_files,
            managed_by: wish.managed_by,
            changed_index: 0,
        };
        Ok(Command::PutProfile(PutProfile { profile, if_index: wish.if_index }))
    }

    fn delete(farewell: Farewell) -> Command {
        let Farewell { name, managed_by, if_index } = farewell;
        Command::DeleteProfile(DeleteProfile { name, managed_by, if_index })
    }
}

/// The fields a profile owns, as keys name them.
pub(super) fn owns(profile: &Profile) -> Vec<&'static str> {
    let fields = [
        ("providers", profile.providers.is_some()),
        ("models", profile.models.is_some()),
        ("budgets", profile.budgets.is_some()),
        ("limits", profile.limits.is_some()),
        ("narrowed", profile.narrowed.is_some()),
        ("labels", profile.labels.is_some()),
        ("tags", profile.tags.is_some()),
        ("may_open_sessions", profile.may_open_sessions.is_some()),
        ("drain_on_disconnect", profile.drain_on_disconnect.is_some()),
        ("may_use_files", profile.may_use_files.is_some()),
    ];
    fields.into_iter().filter(|(_, owned)| *owned).map(|(field, _)| field).collect()
}
