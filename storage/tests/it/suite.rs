//! openraft's own suite for storages.

use crate::support::open;
use storage::openraft::StorageError;
use storage::openraft::testing::log::{StoreBuilder, Suite};
use storage::{LogStore, Machine, TypeConfig};
use tempfile::TempDir;

struct Builder;

impl StoreBuilder<TypeConfig, LogStore, Machine, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, LogStore, Machine), StorageError<TypeConfig>> {
        let dir = tempfile::tempdir().unwrap();
        let storage = open(dir.path()).unwrap();
        Ok((dir, storage.log, storage.machine))
    }
}

#[test]
fn consensus_finds_in_the_storage_what_it_expects_of_one() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Suite::test_all(Builder)).unwrap();
}
