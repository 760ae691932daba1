//! Load: as fast as a number of connections can, or at a steady rate.

use crate::http::Connection;
use anyhow::{Context, Result};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Sends `total` requests over `connections` connections, each as soon as the last was answered.
pub(crate) async fn saturate(
    authority: &str,
    request: &Arc<[u8]>,
    connections: usize,
    total: usize,
) -> Result<()> {
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let mut connection = Connection::open(authority).await?;
        let request = Arc::clone(request);
        workers.spawn(async move {
            for _ in 0..total / connections {
                connection.exchange(&request).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.context("a worker panicked")??;
    }
    Ok(())
}

/// Sends requests at `per_second` for `length` and returns the latencies in order.
pub(crate) async fn steady(
    authority: &str,
    request: &Arc<[u8]>,
    per_second: u32,
    length: Duration,
) -> Result<Vec<Duration>> {
    const CONNECTIONS: u32 = 32;
    let gap = Duration::from_secs(1) * CONNECTIONS / per_second;
    let start = Instant::now() + Duration::from_millis(20);
    let mut workers = JoinSet::new();
    for number in 0..CONNECTIONS {
        let mut connection = Connection::open(authority).await?;
        let request = Arc::clone(request);
        workers.spawn(async move {
            let mut latencies = Vec::new();
            let mut due = start + gap * number / CONNECTIONS;
            while due < start + length {
                tokio::time::sleep_until(due.into()).await;
                let sent = Instant::now();
                connection.exchange(&request).await?;
                latencies.push(sent.elapsed());
                due += gap;
            }
            anyhow::Ok(latencies)
        });
    }
    let mut all = Vec::new();
    while let Some(worker) = workers.join_next().await {
        all.extend(worker.context("a worker panicked")??);
    }
    all.sort();
    Ok(all)
}
