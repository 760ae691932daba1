//! What was used, added up from the ledger's rows.

mod group;
mod reconcile;

use super::Node;
use api::admin::v1::usage::{Question, Usage, UsageReport};
use api::admin::{Answer, Day, Problem};

impl Usage for Node {
    async fn usage(&self, question: Question) -> Answer<UsageReport> {
        let ledger = self.ledger();
        // Away from the threads that consensus runs on: there may be millions of rows.
        let report = tokio::task::spawn_blocking(move || {
            let (rows, total) = group::rows(&ledger, &question)?;
            Ok(UsageReport {
                from: question.from,
                to: question.to.unwrap_or_else(today),
                by: question.by,
                rows,
                total,
                reconciliation: reconcile::reconcile(&ledger),
            })
        });
        report.await.unwrap_or_else(|_| Err(Problem::internal("the report was not finished")))
    }
}

fn today() -> Day {
    let days = super::budgets::now().0 / 86_400_000;
    Day(u32::try_from(days).unwrap_or(u32::MAX))
}
