//! What a provider's answer looks like on the wire, and what a node makes of it: read by the program's own
//! reader, charged by its own table.

use super::provider::{Attempt, Ending, Model, PIECE_TOKENS, Packet, Tells};
use bytes::Bytes;
use cluster::allowance::Charge;
use cost::{Bill, Ended, ModelTerms, Quote, Tariff, Terms};
use ledger::Price;
use tokio::sync::mpsc::Receiver;
use wire::dialect::openai_chat;
use wire::frame::Framing;
use wire::relay::{Relay, StreamOptions};
use wire::{Refusal, Usage};

/// The tokens a price is for.
const MTOK: i64 = 1_000_000;

/// The provider's side: the bytes of an attempt's answer.
pub(super) struct Script<'a>(pub(super) &'a Attempt);

impl Script<'_> {
    /// The event of a piece, in one packet or two; where the connection breaks in the middle of it, the rest
    /// never comes.
    pub(super) fn piece(&self, number: u64) -> (Bytes, Option<Bytes>) {
        let Self(attempt) = self;
        let tokens = usize::try_from(attempt.model.said_tokens()).unwrap_or(0);
        let text = "x".repeat(tokens * attempt.token_bytes);
        let usage = match attempt.tells {
            Tells::InEach => {
                format!(",{}", usage(attempt.input_tokens, (number - 1) * PIECE_TOKENS))
            }
            Tells::Never | Tells::AtLast => String::new(),
        };
        let choice = format!(r#"{{"index":0,"delta":{{"content":"{text}"}}}}"#);
        let mut first = event(&format!(r#"{{"choices":[{choice}]{usage}}}"#));
        if !attempt.is_cut {
            return (first, None);
        }
        let rest = first.split_off(first.len() / 2);
        let breaks = attempt.ending == Ending::BreaksOff && number == attempt.pieces;
        (first, (!breaks).then_some(rest))
    }

    /// What follows the pieces.
    pub(super) fn last_words(&self, bill: &Charge) -> Vec<Packet> {
        let Self(attempt) = self;
        let used = u64::try_from(bill.tokens).unwrap_or(0).saturating_sub(attempt.input_tokens);
        let told = match attempt.tells {
            Tells::Never => None,
            Tells::AtLast | Tells::InEach => {
                let told = usage(attempt.input_tokens, used);
                Some(event(&format!(r#"{{"choices":[],{told}}}"#)))
            }
        };
        let (before, after) = match attempt.ending {
            Ending::Answered | Ending::CallerLeaves(_) | Ending::Beyond => {
                let usage = match attempt.tells {
                    Tells::InEach => format!(",{}", usage(attempt.input_tokens, used)),
                    Tells::Never | Tells::AtLast => String::new(),
                };
                let choice = r#"{"index":0,"delta":{},"finish_reason":"stop"}"#;
                let done = event(&format!(r#"{{"choices":[{choice}]{usage}}}"#));
                (Some(done), Some(Bytes::from_static(b"data: [DONE]\n\n")))
            }
            Ending::Fails => {
                (None, Some(event(r#"{"error":{"message":"overloaded","type":"server_error"}}"#)))
            }
            Ending::StopsShort => return vec![Packet::End],
            Ending::NeverSent
            | Ending::Refused
            | Ending::Lost
            | Ending::OnlyBegun
            | Ending::BreaksOff => return Vec::new(),
        };
        let data = before.into_iter().chain(told).chain(after).map(Packet::Data);
        data.chain([Packet::End]).collect()
    }
}

fn event(json: &str) -> Bytes {
    Bytes::from(format!("data: {json}\n\n"))
}

fn usage(input: u64, output: u64) -> String {
    format!(r#""usage":{{"prompt_tokens":{input},"completion_tokens":{output}}}"#)
}

impl Attempt {
    /// What may be billed for it at worst, and by which prices.
    pub(super) fn terms(&self) -> (Quote, ModelTerms) {
        let (input, output) = self.model.prices();
        let price = Price {
            input_nano_usd_per_mtok: input * MTOK,
            output_nano_usd_per_mtok: output * MTOK,
            ..Price::default()
        };
        let most = Usage {
            input_tokens: self.input_tokens_max,
            output_tokens: self.pieces_max * PIECE_TOKENS,
            ..Usage::default()
        };
        let quote = Quote { most, cap: None };
        let thinks = match self.model {
            Model::Plain => false,
            Model::Thinking => true,
        };
        (quote, ModelTerms { tariff: Some(Tariff::from(&price)), thinks, ..ModelTerms::default() })
    }

    /// What is held for it.
    pub(super) fn worst(&self) -> Charge {
        let (quote, model) = self.terms();
        quote.charge(&model)
    }
}

/// What a node makes of an answer.
pub(super) struct Outcome {
    pub(super) bill: Bill,
    pub(super) charge: Charge,
    pub(super) usage: Usage,
    /// Nothing of it went on to the caller: another attempt may.
    pub(super) again: bool,
}

/// A node's side: takes an answer as it comes, until it ends or its caller leaves.
pub(super) struct Reading<'a> {
    pub(super) attempt: &'a Attempt,
    /// Whether some budget may not be passed.
    pub(super) hard: bool,
    /// The mistake of believing what was told, though more was counted.
    pub(super) believes: bool,
}

impl Reading<'_> {
    /// The caller left before anything was sent.
    pub(super) fn never_sent(&self) -> Outcome {
        self.outcome(Ended::NotBegun, false)
    }

    /// Reads on until nothing more is to be expected.
    pub(super) async fn read(&self, mut answer: Receiver<Packet>) -> Outcome {
        let mut relay: Option<Box<dyn Relay>> = None;
        let mut packets = 0;
        loop {
            if self.attempt.ending == Ending::CallerLeaves(packets) {
                return self.left(relay, answer);
            }
            packets += 1;
            match (answer.recv().await, relay.as_mut()) {
                (Some(Packet::Head), _) => relay = Some(self.relay()),
                (Some(Packet::Data(data)), Some(relay)) => push(&mut **relay, &data),
                (Some(Packet::Refusal), _) => return self.outcome(Ended::NotBegun, true),
                (Some(Packet::End), Some(_)) => return self.ended(relay, true),
                (None, Some(_)) => return self.ended(relay, false),
                (Some(Packet::Data(_) | Packet::End) | None, None) => {
                    return self.outcome(Ended::Unknown, true);
                }
            }
        }
    }

    fn relay(&self) -> Box<dyn Relay> {
        let options = StreamOptions { hide_usage: false, answers: 1, framing: Framing::Sse };
        (openai_chat::DIALECT.relay)(&options)
    }

    /// The stream is over, or broke.
    fn ended(&self, relay: Option<Box<dyn Relay>>, clean: bool) -> Outcome {
        let Some(relay) = relay else { return self.outcome(Ended::Unknown, true) };
        let more = cost::chunk_on_its_way(relay.progress());
        let end = relay.finish(&cut, &mut Vec::new());
        match (clean, end.events) {
            (true, _) => self.outcome(Ended::Over(&end), false),
            (false, 0) => self.outcome(Ended::Unopened(&end), true),
            (false, _) => self.outcome(Ended::BrokeOff(&end, more), false),
        }
    }

    /// The caller is gone: what has arrived is counted, and the provider hears that nobody listens.
    fn left(&self, relay: Option<Box<dyn Relay>>, mut answer: Receiver<Packet>) -> Outcome {
        let Some(mut relay) = relay else { return self.outcome(Ended::Unknown, false) };
        while let Ok(Packet::Data(data)) = answer.try_recv() {
            push(&mut *relay, &data);
        }
        drop(answer);
        let more = cost::chunk_on_its_way(relay.progress());
        let end = relay.finish(&cut, &mut Vec::new());
        self.outcome(Ended::Left(&end, more), false)
    }

    fn outcome(&self, ended: Ended<'_>, again: bool) -> Outcome {
        let (quote, model) = self.attempt.terms();
        let bill = match told(ended).filter(|_| self.believes) {
            Some(usage) => Bill::Told(usage),
            None => cost::bill(ended, &Terms { hard: self.hard, quote: &quote, model: &model }),
        };
        let (charge, usage) = bill.charge(&quote, &model);
        Outcome { bill, charge, usage, again }
    }
}

/// What the provider said, whatever became of it.
fn told(ended: Ended<'_>) -> Option<Usage> {
    match ended {
        Ended::NotBegun | Ended::Unknown => None,
        Ended::Plain(reply) => reply.usage,
        Ended::Unopened(end) | Ended::Over(end) => end.usage(),
        Ended::BrokeOff(end, _) | Ended::Left(end, _) => end.usage(),
    }
}

fn push(relay: &mut dyn Relay, data: &Bytes) {
    relay.push(data, &mut Vec::new()).expect("events of a provider that is simulated are short");
}

/// What the caller would hear.
fn cut() -> Refusal {
    Refusal::invalid("cut", None, "the answer is not whole")
}
