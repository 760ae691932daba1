//! The provider: answers in pieces, fails before or after it bills, and keeps its own books.

use super::answer::Script;
use super::judge::Exposure;
use super::life::Life;
use super::world::World;
use bytes::Bytes;
use cluster::allowance::Charge;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;

/// Output tokens of a piece.
pub(crate) const PIECE_TOKENS: u64 = 12;

/// How an attempt goes, all of it decided before it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) model: Model,
    /// Tokens of its input as the provider counts them, and most it may count.
    pub(crate) input_tokens: u64,
    pub(crate) input_tokens_max: u64,
    /// Most pieces the answer may have: what the hold is for.
    pub(crate) pieces_max: u64,
    /// Pieces it has.
    pub(crate) pieces: u64,
    pub(crate) first_ms: u64,
    pub(crate) piece_ms: u64,
    pub(crate) ending: Ending,
    pub(crate) tells: Tells,
    /// Bytes of text for each token, from one on.
    pub(crate) token_bytes: usize,
    /// Each event comes in two packets.
    pub(crate) is_cut: bool,
    /// Whether the provider goes on where nobody listens any more.
    pub(crate) drains: bool,
}

/// Which model is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    Plain,
    /// It costs more, and bills thoughts of which nothing is seen.
    Thinking,
}

impl Model {
    /// What a token of input and one of output cost, in nano-USD.
    pub(crate) fn prices(self) -> (i64, i64) {
        match self {
            Model::Plain => (80_000, 40_000),
            Model::Thinking => (100_000, 60_000),
        }
    }

    /// Tokens of a piece that are not thoughts.
    pub(crate) fn said_tokens(self) -> u64 {
        match self {
            Model::Plain => PIECE_TOKENS,
            Model::Thinking => 1,
        }
    }
}

/// When the provider says what was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tells {
    Never,
    /// With the last word.
    AtLast,
    /// In each piece what was used before it, with the end of the answer all of it; and again at last.
    InEach,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With an answer.
    Answered,
    /// The caller leaves before anything is sent.
    NeverSent,
    /// With a refusal that costs nothing.
    Refused,
    /// It is billed, and not a byte of it arrives.
    Lost,
    /// It is billed, and nothing but the head of an answer arrives.
    OnlyBegun,
    /// The caller leaves after so many packets, the head being the first.
    CallerLeaves(u64),
    /// The connection breaks after the pieces, or in the middle of the last.
    BreaksOff,
    /// The stream ends properly after the pieces, without an end of the answer.
    StopsShort,
    /// The provider says after the pieces that it failed.
    Fails,
    /// The bill is beyond the hold.
    Beyond,
}

/// What arrives of an answer. A connection that closes without [`Packet::End`] broke.
pub(crate) enum Packet {
    /// It will be answered.
    Head,
    /// It is refused.
    Refusal,
    /// Part of the answer.
    Data(Bytes),
    /// The stream is over.
    End,
}

impl Attempt {
    /// What the provider bills for so many pieces, in its own arithmetic.
    fn bill(&self, pieces: u64) -> Charge {
        let (input, output) = self.model.prices();
        let number = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
        let (read, written) = (number(self.input_tokens), number(pieces * PIECE_TOKENS));
        Charge { nano_usd: read * input + written * output, tokens: read + written, requests: 1 }
    }
}

/// Sends an attempt to the provider.
pub(crate) fn send(
    world: &Arc<World>,
    life: &Arc<Life>,
    exposure: &Arc<Exposure>,
    attempt: Attempt,
) -> Receiver<Packet> {
    // One packet on the way: what was generated is what was taken and at most one more piece.
    let (packets, answer) = channel(1);
    let (world, life, exposure) = (Arc::clone(world), Arc::clone(life), Arc::clone(exposure));
    tokio::spawn(async move {
        let bill = generate(&attempt, (&life, &exposure), &packets).await;
        world.must("the budget holds", world.judge.money.billed(&exposure, &bill));
        if attempt.ending == Ending::Refused {
            let _ = packets.send(Packet::Refusal).await;
            return;
        }
        for packet in Script(&attempt).last_words(&bill) {
            // Nobody may listen any more: the bill stands.
            let _ = packets.send(packet).await;
        }
    });
    answer
}

/// Generates the answer; returns the bill.
async fn generate(
    attempt: &Attempt,
    (life, exposure): (&Life, &Exposure),
    packets: &Sender<Packet>,
) -> Charge {
    sleep(Duration::from_millis(attempt.first_ms)).await;
    let is_heard = match attempt.ending {
        Ending::Refused | Ending::NeverSent => return Charge::ZERO,
        Ending::Lost => false,
        Ending::OnlyBegun => {
            let _ = packets.send(Packet::Head).await;
            false
        }
        Ending::Answered
        | Ending::CallerLeaves(_)
        | Ending::BreaksOff
        | Ending::StopsShort
        | Ending::Fails
        | Ending::Beyond => {
            let _ = packets.send(Packet::Head).await;
            true
        }
    };
    let mut generated = 0;
    while generated < attempt.pieces {
        let room = match is_heard {
            false => None,
            true => match packets.reserve().await {
                Ok(room) => Some(room),
                // A caller who leaves is noticed; a node that died may not be.
                Err(_) if attempt.drains && life.is_dead() && !exposure.is_settled() => None,
                Err(_) => break,
            },
        };
        sleep(Duration::from_millis(attempt.piece_ms)).await;
        generated += 1;
        if let Some(room) = room {
            let (first, rest) = Script(attempt).piece(generated);
            room.send(Packet::Data(first));
            if let Some(rest) = rest {
                let _ = packets.send(Packet::Data(rest)).await;
            }
        }
    }
    let beyond = if attempt.ending == Ending::Beyond { attempt.pieces_max + 1 } else { 0 };
    attempt.bill(generated + beyond)
}
