//! Who this data directory is: written once, never guessed.

use crate::files;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

const FILE: &str = "node.json";

/// A promise to one founder: which nodes it may found the cluster with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootPromise {
    /// The cluster it would be.
    pub cluster_id: String,
    /// Uuids of its founders, sorted.
    pub members: Vec<String>,
    /// Ballot of the request, for logs.
    pub ballot: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    node_uuid: String,
    raft_id: Option<u64>,
    cluster_id: Option<String>,
    cluster_name: Option<String>,
    incarnation: u64,
    boot_promise: Option<BootPromise>,
}

/// Why an identity did not take.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It is set already, to something else.
    #[error(
        "this node's {what} is {present} and cannot become {asked}: wipe its data directory to join another cluster"
    )]
    AlreadySet {
        /// Which part.
        what: &'static str,
        /// What it is.
        present: String,
        /// What was asked.
        asked: String,
    },
    /// The file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what this binary writes.
    #[error("{path} is not readable: {source}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where it went wrong.
        source: serde_json::Error,
    },
}

/// Identity of the data directory, on disk in `node.json`. Clones share it.
///
/// Each setter returns once the change is durable. Setting to the present value is fine and free.
#[derive(Clone, Debug)]
pub struct Identity {
    path: PathBuf,
    record: Arc<Mutex<Record>>,
}

impl Identity {
    /// Reads the identity, or makes a new one, and begins the next incarnation.
    ///
    /// # Errors
    /// The file cannot be read, written, or understood.
    pub fn open(dir: &Path) -> Result<Identity, IdentityError> {
        let path = dir.join(FILE);
        let mut record = read(&path)?.unwrap_or_else(|| Record {
            node_uuid: ulid::Ulid::new().to_string(),
            raft_id: None,
            cluster_id: None,
            cluster_name: None,
            incarnation: 0,
            boot_promise: None,
        });
        record.incarnation += 1;
        write(&path, &record)?;
        let record = Arc::new(Mutex::new(record));
        Ok(Identity { path, record })
    }

    /// True where a data directory has an identity already.
    pub(crate) fn exists(dir: &Path) -> bool {
        dir.join(FILE).exists()
    }

    /// ULID of the data directory. A wiped node comes back with another.
    #[must_use]
    pub fn node_uuid(&self) -> String {
        self.lock().node_uuid.clone()
    }

    /// Raft id, once this node has one.
    #[must_use]
    pub fn raft_id(&self) -> Option<u64> {
        self.lock().raft_id
    }

    /// Cluster it belongs to, once it belongs to one.
    #[must_use]
    pub fn cluster_id(&self) -> Option<String> {
        self.lock().cluster_id.clone()
    }

    /// Name its cluster was configured with when it joined.
    #[must_use]
    pub fn cluster_name(&self) -> Option<String> {
        self.lock().cluster_name.clone()
    }

    /// How often this directory was opened; rises by one, durably, at each start.
    #[must_use]
    pub fn incarnation(&self) -> u64 {
        self.lock().incarnation
    }

    /// What this node promised a founder.
    #[must_use]
    pub fn boot_promise(&self) -> Option<BootPromise> {
        self.lock().boot_promise.clone()
    }

    /// Sets the Raft id, once.
    ///
    /// # Errors
    /// It is another already, or the disk refused.
    pub fn set_raft_id(&self, id: u64) -> Result<(), IdentityError> {
        self.set_once("raft id", id, |record| &mut record.raft_id)
    }

    /// Sets the cluster, once.
    ///
    /// # Errors
    /// It is another already, or the disk refused.
    pub fn set_cluster_id(&self, id: &str) -> Result<(), IdentityError> {
        self.set_once("cluster id", id.to_owned(), |record| &mut record.cluster_id)
    }

    /// Sets the cluster's name, once.
    ///
    /// # Errors
    /// It is another already, or the disk refused.
    pub fn set_cluster_name(&self, name: &str) -> Result<(), IdentityError> {
        self.set_once("cluster name", name.to_owned(), |record| &mut record.cluster_name)
    }

    /// Promises a founder to take part in its cluster and no other. A promise for the same members and
    /// cluster is kept as it is; one for others is refused.
    ///
    /// # Errors
    /// Promised to another, or the disk refused.
    pub fn promise(&self, promise: BootPromise) -> Result<(), IdentityError> {
        let mut record = self.lock();
        if let Some(present) = &record.boot_promise {
            let same =
                present.cluster_id == promise.cluster_id && present.members == promise.members;
            return if same {
                Ok(())
            } else {
                Err(already_set("boot promise", &present.cluster_id, &promise.cluster_id))
            };
        }
        let mut next = record.clone();
        next.boot_promise = Some(promise);
        self.store(&mut record, next)
    }

    /// Takes a promise back: its founder is gone and the cluster was never initialised.
    ///
    /// # Errors
    /// The node belongs to a cluster by now, or the disk refused.
    pub fn withdraw_promise(&self) -> Result<(), IdentityError> {
        let mut record = self.lock();
        if let Some(cluster_id) = &record.cluster_id {
            return Err(already_set("cluster id", cluster_id, "none"));
        }
        let mut next = record.clone();
        next.boot_promise = None;
        self.store(&mut record, next)
    }

    fn set_once<T: Clone + PartialEq + ToString>(
        &self,
        what: &'static str,
        asked: T,
        slot: impl Fn(&mut Record) -> &mut Option<T>,
    ) -> Result<(), IdentityError> {
        let mut record = self.lock();
        let mut next = record.clone();
        let value = slot(&mut next);
        match value {
            Some(present) if *present == asked => Ok(()),
            Some(present) => Err(already_set(what, &present.to_string(), &asked.to_string())),
            None => {
                *value = Some(asked);
                self.store(&mut record, next)
            }
        }
    }

    /// Disk first, then memory: what is answered is what a restart would answer.
    fn store(&self, record: &mut Record, next: Record) -> Result<(), IdentityError> {
        write(&self.path, &next)?;
        *record = next;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().expect("no code that holds the identity panics")
    }
}

fn already_set(what: &'static str, present: &str, asked: &str) -> IdentityError {
    IdentityError::AlreadySet { what, present: present.to_owned(), asked: asked.to_owned() }
}

fn read(path: &Path) -> Result<Option<Record>, IdentityError> {
    match std::fs::read(path) {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(record) => Ok(Some(record)),
            Err(source) => Err(IdentityError::Malformed { path: path.to_owned(), source }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(IdentityError::Io { path: path.to_owned(), source }),
    }
}

fn write(path: &Path, record: &Record) -> Result<(), IdentityError> {
    let bytes = serde_json::to_vec_pretty(record).expect("a record of strings and numbers is JSON");
    files::replace(path, &bytes)
        .map_err(|source| IdentityError::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_survives_and_its_incarnation_rises() {
        let dir = tempfile::tempdir().unwrap();
        let first = Identity::open(dir.path()).unwrap();
        first.set_raft_id(7).unwrap();
        first.set_cluster_id("c1").unwrap();
        let again = Identity::open(dir.path()).unwrap();
        assert_eq!(again.node_uuid(), first.node_uuid());
        assert_eq!((again.raft_id(), again.cluster_id()), (Some(7), Some("c1".to_owned())));
        assert_eq!((first.incarnation(), again.incarnation()), (1, 2));
    }

    #[test]
    fn what_is_set_once_never_becomes_another() {
        let dir = tempfile::tempdir().unwrap();
        let identity = Identity::open(dir.path()).unwrap();
        identity.set_raft_id(7).unwrap();
        identity.set_raft_id(7).unwrap();
        let refused = identity.set_raft_id(8).unwrap_err();
        assert!(refused.to_string().contains("raft id is 7 and cannot become 8"));
        assert_eq!(Identity::open(dir.path()).unwrap().raft_id(), Some(7));
    }

    #[test]
    fn a_promise_is_kept_across_restarts_and_binds_to_one_set_of_members() {
        let dir = tempfile::tempdir().unwrap();
        let promise = |members: &[&str]| BootPromise {
            cluster_id: "c1".to_owned(),
            members: members.iter().map(ToString::to_string).collect(),
            ballot: 1,
        };
        Identity::open(dir.path()).unwrap().promise(promise(&["a", "b"])).unwrap();
        let again = Identity::open(dir.path()).unwrap();
        again.promise(promise(&["a", "b"])).unwrap();
        assert!(again.promise(promise(&["a", "c"])).is_err());
        again.withdraw_promise().unwrap();
        again.promise(promise(&["a", "c"])).unwrap();
    }
}
