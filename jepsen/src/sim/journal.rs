//! What a node's next life can tell of the one before it, where its journal outlived it.
//!
//! The journal's files are the product's and are proven elsewhere. Here it is what they come to: all that
//! was settled, and every hold that was open in full. A power cut may take it; a killed process never.

use super::node::{Fate, Node};
use ledger::Command;
use ledger::command::{Adopt, AdoptLine};
use std::sync::Arc;

/// One life's testimony.
pub(crate) struct Journal {
    incarnation: u64,
    lines: Vec<AdoptLine>,
}

impl Journal {
    /// What there is to tell of a life at this moment.
    pub(crate) fn of(node: &Node) -> Journal {
        let all = node.seen.allowances.snapshot();
        let line = |books: &cluster::allowance::PurseBooks| AdoptLine {
            account: books.account,
            period: books.period,
            settled_cum: books.settled + books.held,
        };
        Journal { incarnation: node.incarnation, lines: all.iter().map(line).collect() }
    }

    /// Has the ledger take it over; false where that is to be tried again.
    pub(crate) async fn adopt(&self, node: &Arc<Node>) -> bool {
        let adopt = Adopt {
            node: node.life_id().0,
            incarnation: node.incarnation,
            past: self.incarnation,
            part: 0,
            lines: self.lines.clone(),
            usage: Vec::new(),
        };
        node.world.note("adopt", [node.id, self.incarnation, self.lines.len() as u64]);
        matches!(node.propose(Command::Adopt(adopt)).await, Fate::Applied(_))
    }
}
