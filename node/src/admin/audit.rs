//! The audit of money moved by hand.

use super::Node;
use api::admin::v1::audit::{AuditEntry, Audits};
use api::admin::{Answer, Listed, Page, Problem, Timestamp};

impl Audits for Node {
    fn list_audit(&self, page: &Page) -> Answer<Listed<AuditEntry>> {
        let before = match page.after.as_deref() {
            None => u64::MAX,
            Some(cursor) => cursor.parse().map_err(|_| {
                Problem::invalid("cursor", format!("{cursor:?} is no next_cursor of an answer"))
            })?,
        };
        let ledger = self.ledger();
        let mut older = ledger.audit.range(..before).rev();
        let items: Vec<AuditEntry> = older.by_ref().take(page.limit).map(shown).collect();
        let more = older.next().is_some();
        let next_cursor = items.last().filter(|_| more).map(|last| last.log_index.to_string());
        Ok(Listed { items, next_cursor })
    }
}

fn shown((index, entry): (&u64, &ledger::Audit)) -> AuditEntry {
    AuditEntry {
        log_index: *index,
        at: Timestamp(entry.at.0),
        actor: entry.actor.clone(),
        reason: entry.reason.clone(),
        operation: Some(entry.operation.clone()).filter(|operation| !operation.is_empty()),
        what: entry.what.clone(),
    }
}
