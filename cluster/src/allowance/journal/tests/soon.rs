//! What is written without anybody asking for it.

use super::Life;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn a_settlement_that_no_hold_follows_is_written_all_the_same() {
    let mut life = Life::new(5);
    let keeping = tokio::spawn(Arc::clone(&life.allowances).keep_journal());
    life.hold();
    life.settle();
    assert_eq!(life.read().unwrap().past().in_flight(), 1);
    // Time goes on when nobody has anything to do: whoever wakes earlier has done it by then.
    sleep(Duration::from_millis(50)).await;
    assert_eq!(life.read().unwrap().past().in_flight(), 0);
    keeping.abort();
}
