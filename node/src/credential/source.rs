//! One credential that is always at hand.

use super::renew::{SPARE_MS, after, retry};
use super::{Credential, Issued, Refused, now_ms};
use arc_swap::ArcSwapOption;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::{info, warn};

/// Shortest time between an attempt and one out of turn: a provider that refuses whatever it is shown must
/// not make its issuer be asked for every request.
const OUT_OF_TURN: Duration = Duration::from_secs(5);

/// A credential that is renewed in the background until the source is dropped.
pub struct Source {
    held: ArcSwapOption<Held>,
    fault: ArcSwapOption<Refused>,
    /// Told after each attempt.
    tried: Notify,
    /// Asks for an attempt out of turn.
    wanted: Arc<Wanted>,
    /// When the last attempt ended.
    tried_at: Mutex<Option<Instant>>,
    task: std::sync::OnceLock<tokio::task::AbortHandle>,
}

/// An attempt out of turn, asked for once by however many want it.
#[derive(Default)]
struct Wanted {
    told: Notify,
    asked: AtomicBool,
}

impl Wanted {
    fn ask(&self) {
        if !self.asked.swap(true, Relaxed) {
            self.told.notify_one();
        }
    }

    /// Resolves once one is asked for that no attempt has answered.
    async fn come(&self) {
        loop {
            self.told.notified().await;
            if self.asked.load(Relaxed) {
                return;
            }
        }
    }
}

struct Held {
    credential: Arc<Credential>,
    expires_ms: Option<u64>,
}

/// There is no credential at hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unready {
    /// The first one has not come yet.
    #[error("the credential has not been issued yet")]
    Waiting,
    /// None was issued, or the last one has ended since.
    #[error("no credential: {0}")]
    Refused(Refused),
}

impl Source {
    /// Begins to fetch what `issue` gives, on the runtime that this is called on. `name` is for the log.
    pub fn start<I, F>(name: String, issue: I) -> Arc<Self>
    where
        I: Fn() -> F + Send + 'static,
        F: Future<Output = Result<Issued, Refused>> + Send + 'static,
    {
        let source = Arc::new(Self {
            held: ArcSwapOption::empty(),
            fault: ArcSwapOption::empty(),
            tried: Notify::new(),
            wanted: Arc::default(),
            tried_at: Mutex::default(),
            task: std::sync::OnceLock::new(),
        });
        let task = tokio::spawn(keep(name, issue, Arc::downgrade(&source)));
        source.task.get_or_init(|| task.abort_handle());
        source
    }

    /// The credential, without waiting.
    ///
    /// # Errors
    ///
    /// There is none, or it has ended and no other was issued.
    pub fn current(&self) -> Result<Arc<Credential>, Unready> {
        self.at(now_ms())
    }

    fn at(&self, now_ms: u64) -> Result<Arc<Credential>, Unready> {
        let held = self.held.load();
        let alive = held
            .as_ref()
            .filter(|held| held.expires_ms.is_none_or(|end| now_ms.saturating_add(SPARE_MS) < end));
        if let Some(held) = alive {
            return Ok(held.credential.clone());
        }
        let fault = self.fault.load_full();
        Err(fault.map_or(Unready::Waiting, |why| Unready::Refused((*why).clone())))
    }

    /// Why the last attempt failed, if it did: for operators, also while an older credential holds.
    pub fn fault(&self) -> Option<Refused> {
        self.fault.load_full().map(|why| (*why).clone())
    }

    /// Waits until a credential is at hand or an attempt has failed. A request waits only where there has
    /// been no attempt yet.
    pub async fn ready(&self) -> Result<Arc<Credential>, Unready> {
        loop {
            let tried = self.tried.notified();
            match self.current() {
                Err(Unready::Waiting) => tried.await,
                answer => return answer,
            }
        }
    }

    /// Another credential than the one that was refused: issued meanwhile, or now. `None` where there is
    /// none.
    pub async fn renewed(&self, refused: &Credential) -> Option<Arc<Credential>> {
        let tried = self.tried.notified();
        let other = || self.current().ok().filter(|credential| **credential != *refused);
        if let Some(issued) = other() {
            return Some(issued);
        }
        let last = *self.tried_at.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| last.elapsed() < OUT_OF_TURN) {
            return None;
        }
        self.wanted.ask();
        tried.await;
        other()
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

async fn keep<I, F>(name: String, issue: I, source: Weak<Source>)
where
    I: Fn() -> F + Send,
    F: Future<Output = Result<Issued, Refused>> + Send + 'static,
{
    let mut failures = 0;
    let Some(wanted) = source.upgrade().map(|source| Arc::clone(&source.wanted)) else { return };
    loop {
        let issued = issue().await;
        let Some(source) = source.upgrade() else { return };
        let wait = match issued {
            Ok(Issued { credential, expires_ms }) => {
                failures = 0;
                let credential = Arc::new(credential);
                source.held.store(Some(Arc::new(Held { credential, expires_ms })));
                source.fault.store(None);
                info!(credential = name, expires_ms, "a credential was issued");
                after(now_ms(), expires_ms)
            }
            Err(why) => {
                failures += 1;
                warn!(credential = name, failures, "no credential was issued: {why}");
                source.fault.store(Some(Arc::new(why)));
                Some(retry(failures))
            }
        };
        let tried_at = Some(Instant::now());
        *source.tried_at.lock().unwrap_or_else(PoisonError::into_inner) = tried_at;
        wanted.asked.store(false, Relaxed);
        source.tried.notify_waiters();
        drop(source);
        let in_turn = async {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                // It never ends.
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = in_turn => {}
            () = wanted.come() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Secret;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn bearer(text: &str) -> Credential {
        Credential::Bearer(Secret::new(text.to_owned()))
    }

    /// Issues `t1`, `t2`, ... that live `lives_ms`; every second attempt fails where `fails`.
    fn issuing(lives_ms: u64, fails: bool) -> (Arc<AtomicU64>, Arc<Source>) {
        let count = Arc::new(AtomicU64::new(0));
        let counted = count.clone();
        let source = Source::start("test".to_owned(), move || {
            let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                if fails && number.is_multiple_of(2) {
                    return Err(Refused::because("try again"));
                }
                let expires_ms = Some(now_ms() + lives_ms);
                Ok(Issued { credential: bearer(&format!("t{number}")), expires_ms })
            }
        });
        (count, source)
    }

    /// Lets time pass, and whoever waited for it go on.
    async fn pass(ms: u64) {
        tokio::task::yield_now().await;
        tokio::time::advance(std::time::Duration::from_millis(ms)).await;
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_credential_is_renewed_before_it_ends_and_read_without_waiting() {
        let (count, source) = issuing(3_600_000, false);
        assert_eq!(source.current(), Err(Unready::Waiting));
        assert_eq!(*source.ready().await.unwrap(), bearer("t1"));
        pass(29 * 60 * 1000).await;
        assert_eq!(*source.current().unwrap(), bearer("t1"));
        pass(2 * 60 * 1000).await;
        assert_eq!(*source.current().unwrap(), bearer("t2"));
        drop(source);
        pass(7200 * 1000).await;
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_leaves_the_older_credential_until_it_ends_and_is_tried_again() {
        let (_, source) = issuing(3_600_000, true);
        source.ready().await.unwrap();
        pass(30 * 60 * 1000 + 500).await;
        assert_eq!(source.fault(), Some(Refused::because("try again")));
        assert_eq!(*source.current().unwrap(), bearer("t1"));
        let end = now_ms() + 3_600_000;
        assert_eq!(source.at(end), Err(Unready::Refused(Refused::because("try again"))));
        pass(1000).await;
        assert_eq!((source.fault(), source.current()), (None, Ok(Arc::new(bearer("t3")))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_credential_that_was_refused_is_renewed_once_for_all_who_saw_it() {
        let (count, source) = issuing(3_600_000, false);
        let first = source.ready().await.unwrap();
        assert_eq!(source.renewed(&first).await, None, "it was issued a moment ago");
        pass(6_000).await;
        let all = [source.renewed(&first), source.renewed(&first), source.renewed(&first)];
        let [one, two, three] = all;
        let (one, two, three) = tokio::join!(one, two, three);
        let second = Some(Arc::new(bearer("t2")));
        assert_eq!((&one, &two, &three), (&second, &second, &second));
        pass(60_000).await;
        assert_eq!(source.renewed(&first).await, second);
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn what_is_shown_of_a_credential_holds_no_secret() {
        let keys = Credential::Aws(super::super::Keys {
            access_key_id: "AKIA".to_owned(),
            secret_access_key: Secret::new("hush".to_owned()),
            session_token: Some(Secret::new("hush".to_owned())),
        });
        let shown = format!("{keys:?} {:?}", bearer("hush"));
        assert!(!shown.contains("hush"), "{shown}");
    }
}
