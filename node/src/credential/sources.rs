//! The sources of all credentials that are issued, each once for all threads.

use super::{Env, Family, Fetch, Kind, Source};
use crate::vault::Secret;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;

/// The sources of a node, by provider and credential.
pub struct Sources {
    /// Where credentials are fetched.
    runtime: Handle,
    fetch: Fetch,
    env: Env,
    kept: Mutex<BTreeMap<(String, String), Kept>>,
}

struct Kept {
    family: Family,
    setting: Secret,
    source: Arc<Source>,
}

impl Sources {
    /// None yet; credentials will be fetched on `runtime`, with what `env` says of the machine.
    pub fn new(runtime: Handle, fetch: Fetch, env: Env) -> Self {
        Self { runtime, fetch, env, kept: Mutex::default() }
    }

    /// What the machine says of itself.
    pub fn env(&self, name: &str) -> Option<String> {
        (self.env)(name)
    }

    /// The source of a credential: the one there is as long as its setting stays the same.
    ///
    /// # Errors
    ///
    /// A setting that cannot be read, in words that do not quote it.
    pub(crate) fn of(
        &self,
        provider: &str,
        credential: &str,
        (family, setting): (Family, &Secret),
    ) -> Result<Arc<Source>, String> {
        let mut kept = self.lock();
        let place = (provider.to_owned(), credential.to_owned());
        if let Some(known) = kept.get(&place)
            && known.family == family
            && known.setting == *setting
        {
            return Ok(Arc::clone(&known.source));
        }
        let kind = Kind::read(family, setting, Arc::clone(&self.env))?;
        let _inside = self.runtime.enter();
        let source = kind.keep(format!("{provider}/{credential}"), self.fetch.clone());
        let setting = setting.clone();
        kept.insert(place, Kept { family, setting, source: Arc::clone(&source) });
        Ok(source)
    }

    /// Forgets the sources of credentials that are not there any more.
    pub(crate) fn keep(&self, is_there: impl Fn(&str, &str) -> bool) {
        self.lock().retain(|(provider, credential), _| is_there(provider, credential));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Kept>> {
        // The map holds no invariant that a panic elsewhere could have broken.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_source_stays_as_long_as_its_setting_does() {
        let env: Env = Arc::new(|_| None);
        let sources = Sources::new(Handle::current(), Fetch::new(None).unwrap(), env);
        let keys = |id: &str| {
            Secret::new(format!(r#"{{"access_key_id":"{id}","secret_access_key":"s"}}"#))
        };
        let of = |id: &str| sources.of("up", "main", (Family::Aws, &keys(id))).unwrap();
        let first = of("A");
        assert!(Arc::ptr_eq(&first, &of("A")));
        let second = of("B");
        assert!(!Arc::ptr_eq(&first, &second));
        sources.keep(|provider, credential| (provider, credential) == ("up", "main"));
        assert!(Arc::ptr_eq(&second, &of("B")));
        sources.keep(|_, _| false);
        assert!(!Arc::ptr_eq(&second, &of("B")));
        let wrong = Secret::new("{hush".to_owned());
        let refused = sources.of("up", "main", (Family::Google, &wrong)).err().unwrap();
        assert!(!refused.contains("hush"), "{refused}");
    }
}
