//! What the small world puts into the log.

use super::{ACCOUNTS, BOOKS, Faults, Message, Move, World};
use crate::command::{
    Adopt, AdoptLine, ClosePeriod, Command, EnrolNode, OpenPeriod, Refill, RefillLine,
};
use crate::sample::{NODES, SPAN_MS};
use crate::{AccountId, UnixMillis};

impl World {
    /// What a move puts into the log, if anything.
    pub(in crate::proof) fn command(&self, next: Move, faults: Faults) -> Option<Command> {
        match next {
            Move::Hear(Message::Refill { node, incarnation, seq, period, told, .. }) => {
                let present = u64::from(self.lives_ever()[usize::from(node)]);
                let own = u64::from(incarnation);
                let incarnation = if faults.no_fence { present } else { own };
                // Without the fence nothing tells lives apart, so each goes on counting.
                let seq = if faults.no_fence { u64::from(seq) + own * 10 } else { u64::from(seq) };
                Some(refill(node, incarnation, seq, (period, told)))
            }
            Move::Hear(Message::Adopt { node, incarnation, settled }) => {
                Some(adopt(node, incarnation, settled))
            }
            Move::Start { node } => {
                let incarnation = u64::from(self.lives_ever()[usize::from(node)]) + 1;
                let id = NODES[usize::from(node)];
                Some(Command::EnrolNode(EnrolNode { id, incarnation }))
            }
            Move::Roll => Some(Command::OpenPeriod(OpenPeriod {
                account: ACCOUNTS[0],
                period: 2,
                starts_at: UnixMillis(SPAN_MS),
                ends_at: Some(UnixMillis(2 * SPAN_MS)),
            })),
            Move::Close => {
                let (account, period) = BOOKS[0];
                Some(Command::ClosePeriod(ClosePeriod { account, period }))
            }
            Move::Reclaim { node } => {
                let past = self.past_of(node).expect("only where there is one");
                Some(adopt(node, past.incarnation + 1, [0; 3]))
            }
            Move::Hold { .. }
            | Move::Settle { .. }
            | Move::Void { .. }
            | Move::Write { .. }
            | Move::Hear(Message::Answer { .. })
            | Move::Crash { .. }
            | Move::Read { .. } => None,
        }
    }
}

fn refill(node: u8, incarnation: u64, seq: u64, said: (u8, [(i8, i8); 3])) -> Command {
    let (asked, told) = said;
    let line = |(book, (settled, returned)): ((AccountId, u64), (i8, i8))| {
        let (account, period) = book;
        let asks = account == ACCOUNTS[1] || period == u64::from(asked);
        RefillLine {
            account,
            period,
            settled_cum: i64::from(settled),
            returned_cum: i64::from(returned),
            debt_cum: 0,
            want: i64::from(asks),
            must: i64::from(asks),
            path: 1,
        }
    };
    Command::Refill(Refill {
        node: NODES[usize::from(node)],
        incarnation,
        seq,
        active_nodes: 2,
        lines: BOOKS.into_iter().zip(told).map(line).collect(),
        ..Refill::default()
    })
}

fn adopt(node: u8, incarnation: u8, settled: [i8; 3]) -> Command {
    let line = |(book, settled): ((AccountId, u64), i8)| {
        let (account, period) = book;
        AdoptLine { account, period, settled_cum: i64::from(settled) }
    };
    Command::Adopt(Adopt {
        node: NODES[usize::from(node)],
        incarnation: u64::from(incarnation),
        past: u64::from(incarnation) - 1,
        part: 0,
        last: true,
        lines: BOOKS.into_iter().zip(settled).map(line).collect(),
        usage: Vec::new(),
    })
}
