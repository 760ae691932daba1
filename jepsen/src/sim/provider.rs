//! The provider: answers in pieces, fails before or after it bills, and keeps its own books.

use super::judge::Exposure;
use super::life::Life;
use super::world::World;
use cluster::allowance::Charge;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;

/// How an attempt goes, all of it decided before it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) input: Charge,
    pub(crate) piece: Charge,
    /// Most pieces the answer may have: what the hold is for.
    pub(crate) pieces_max: i64,
    /// Pieces it has.
    pub(crate) pieces: i64,
    pub(crate) first_ms: u64,
    pub(crate) piece_ms: u64,
    pub(crate) ending: Ending,
    /// Whether the provider goes on where nobody listens any more.
    pub(crate) drains: bool,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With an answer that says what it cost.
    Answered,
    /// With a refusal that costs nothing.
    Refused,
    /// It is billed, and not a byte of it arrives.
    Lost,
    /// The caller leaves after so many pieces.
    CallerLeaves(i64),
    /// The answer breaks off after its pieces, without a word.
    BreaksOff,
    /// The bill is beyond the hold.
    Beyond,
}

/// What arrives of an answer.
pub(crate) enum Piece {
    Text,
    Usage(Charge),
    Refusal,
}

impl Attempt {
    /// What it costs with so many pieces.
    pub(crate) fn cost(&self, pieces: i64) -> Charge {
        let of = |from: &dyn Fn(&Charge) -> i64| from(&self.input) + pieces * from(&self.piece);
        Charge {
            nano_usd: of(&|charge| charge.nano_usd),
            tokens: of(&|charge| charge.tokens),
            requests: 1,
        }
    }

    /// What it may cost at worst.
    pub(crate) fn worst(&self) -> Charge {
        self.cost(self.pieces_max)
    }
}

/// Sends an attempt to the provider.
pub(crate) fn send(
    world: &Arc<World>,
    life: &Arc<Life>,
    exposure: &Arc<Exposure>,
    attempt: Attempt,
) -> Receiver<Piece> {
    // One piece on the way: what was generated is what was taken and at most one more.
    let (pieces, answer) = channel(1);
    let (world, life, exposure) = (Arc::clone(world), Arc::clone(life), Arc::clone(exposure));
    tokio::spawn(async move {
        let bill = generate(&attempt, (&life, &exposure), &pieces).await;
        world.must("the budget holds", world.judge.money.billed(&exposure, &bill));
        let said = match attempt.ending {
            Ending::Answered | Ending::CallerLeaves(_) | Ending::Beyond => Some(Piece::Usage(bill)),
            Ending::Refused => Some(Piece::Refusal),
            Ending::Lost | Ending::BreaksOff => None,
        };
        if let Some(said) = said {
            // Nobody may listen any more: the bill stands.
            let _ = pieces.send(said).await;
        }
    });
    answer
}

/// Generates the answer; returns the bill.
async fn generate(
    attempt: &Attempt,
    (life, exposure): (&Life, &Exposure),
    pieces: &Sender<Piece>,
) -> Charge {
    sleep(Duration::from_millis(attempt.first_ms)).await;
    if attempt.ending == Ending::Refused {
        return Charge::ZERO;
    }
    let mut generated = 0;
    while generated < attempt.pieces {
        let room = match attempt.ending {
            Ending::Lost => None,
            _ => match pieces.reserve().await {
                Ok(room) => Some(room),
                // A caller who leaves is noticed; a node that died may not be.
                Err(_) if attempt.drains && life.is_dead() && !exposure.is_settled() => None,
                Err(_) => break,
            },
        };
        sleep(Duration::from_millis(attempt.piece_ms)).await;
        generated += 1;
        if let Some(room) = room {
            room.send(Piece::Text);
        }
    }
    let beyond = if attempt.ending == Ending::Beyond { attempt.pieces_max } else { 0 };
    attempt.cost(generated + beyond)
}
