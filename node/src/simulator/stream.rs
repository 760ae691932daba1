//! A streamed answer: one token a chunk, billed as it is written.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep};

use super::answer::{self, CREATED, Outline};
use super::behaviour::Behaviour;
use super::body::CutSoon;
use super::books::{Bill, Books};
use super::question::{Kind, Question};

/// Pace of an endless stream nobody set a pace for, in tokens per second.
const ENDLESS_TOKENS_PER_SECOND: u64 = 1_000;

/// A stream on its way.
pub(super) struct Stream {
    books: Arc<Books>,
    bill: Bill,
    frames: Frames,
    input_tokens: u64,
    choices: u64,
    /// Tokens to produce over all choices.
    total: u64,
    cut_after: Option<u64>,
    cut_soon: CutSoon,
    pace: Option<Pace>,
    wait: Option<Pin<Box<Sleep>>>,
    before: VecDeque<Bytes>,
    /// What follows the last token; `None` until that is out.
    after: Option<VecDeque<Bytes>>,
}

struct Pace {
    started: Instant,
    tokens_per_second: u64,
}

/// How a chunk is spelled.
struct Frames {
    head: String,
    chat: bool,
    finish_reason: &'static str,
    include_usage: bool,
    usage: bool,
}

impl Stream {
    pub(super) fn new(
        books: &Arc<Books>,
        bill: Bill,
        question: &Question,
        plan: Plan<'_>,
    ) -> Stream {
        let Plan { outline, behaviour } = plan;
        let frames = Frames::new(question, outline);
        let mut before = VecDeque::new();
        if frames.chat {
            before.extend((0..question.choices).map(|index| frames.role(index)));
        }
        if outline.huge_line_bytes > 0 {
            before.push_back(frames.text(0, &"x".repeat(outline.huge_line_bytes as usize)));
        }
        let unpaced = behaviour.endless.then_some(ENDLESS_TOKENS_PER_SECOND);
        let pace = behaviour.tokens_per_second.or(unpaced);
        let wait = behaviour.first_byte_ms.map(Duration::from_millis);
        Stream {
            books: Arc::clone(books),
            bill,
            input_tokens: question.input_tokens,
            choices: question.choices,
            total: if behaviour.endless {
                u64::MAX
            } else {
                outline.output_tokens * question.choices
            },
            cut_after: behaviour.cut_after,
            cut_soon: CutSoon::default(),
            pace: pace.map(|tokens_per_second| Pace { started: Instant::now(), tokens_per_second }),
            wait: wait.map(|wait| Box::pin(tokio::time::sleep(wait))),
            before,
            after: None,
            frames,
        }
    }

    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        loop {
            if let Some(wait) = &mut self.wait {
                ready!(wait.as_mut().poll(context));
                self.wait = None;
            }
            if let Some(frame) = self.before.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            if let Some(after) = &mut self.after {
                return Poll::Ready(after.pop_front().map(Ok));
            }
            let produced = self.bill.output_tokens();
            if self.cut_after.is_some_and(|chunks| produced >= chunks) {
                return self.cut_soon.poll(context);
            }
            if produced == self.total {
                self.after = Some(self.frames.ending(self.choices, self.input_tokens, produced));
                continue;
            }
            self.wait = self.pace.as_ref().and_then(|pace| pace.wait_for(produced));
            if self.wait.is_none() {
                self.bill.produced(1);
                let text = answer::token(produced / self.choices);
                return Poll::Ready(Some(Ok(self.frames.text(produced % self.choices, text))));
            }
        }
    }
}

/// What is to be streamed, and how.
pub(super) struct Plan<'a> {
    pub(super) outline: &'a Outline,
    pub(super) behaviour: &'a Behaviour,
}

impl Drop for Stream {
    fn drop(&mut self) {
        let ended = self.after.as_ref().is_some_and(VecDeque::is_empty);
        if !ended {
            self.books.abandon();
        }
    }
}

impl Pace {
    /// How long the next token has to wait, when so many are out.
    fn wait_for(&self, produced: u64) -> Option<Pin<Box<Sleep>>> {
        let micros = produced.saturating_mul(1_000_000) / self.tokens_per_second;
        let due = self.started + Duration::from_micros(micros);
        (due > Instant::now()).then(|| Box::pin(tokio::time::sleep_until(due)))
    }
}

impl Frames {
    fn new(question: &Question, outline: &Outline) -> Frames {
        let chat = question.kind == Kind::Chat;
        let (prefix, object) =
            if chat { ("chatcmpl", "chat.completion.chunk") } else { ("cmpl", "text_completion") };
        let head = format!(
            r#"data: {{"id":"{prefix}-sim{:016x}","object":"{object}","created":{CREATED},"model":{},"choices":["#,
            outline.id, outline.model_json,
        );
        Frames {
            head,
            chat,
            finish_reason: outline.finish_reason(),
            include_usage: question.include_usage,
            usage: outline.usage,
        }
    }

    fn role(&self, index: u64) -> Bytes {
        self.frame(&format!(
            r#"{{"index":{index},"delta":{{"role":"assistant","content":""}},"finish_reason":null}}"#
        ))
    }

    fn text(&self, index: u64, text: &str) -> Bytes {
        self.frame(&if self.chat {
            format!(r#"{{"index":{index},"delta":{{"content":"{text}"}},"finish_reason":null}}"#)
        } else {
            format!(r#"{{"index":{index},"text":"{text}","finish_reason":null}}"#)
        })
    }

    fn finish(&self, index: u64) -> Bytes {
        let (empty, reason) =
            (if self.chat { r#""delta":{}"# } else { r#""text":"""# }, self.finish_reason);
        self.frame(&format!(r#"{{"index":{index},{empty},"finish_reason":"{reason}"}}"#))
    }

    /// One event. Where usage was asked for, every event but the last carries a null in its place.
    fn frame(&self, choice: &str) -> Bytes {
        let usage = if self.include_usage { r#","usage":null"# } else { "" };
        let mut event = String::with_capacity(self.head.len() + choice.len() + usage.len() + 4);
        for part in [self.head.as_str(), choice, "]", usage, "}\n\n"] {
            event.push_str(part);
        }
        event.into()
    }

    /// The events after the last token.
    fn ending(&self, choices: u64, input: u64, output: u64) -> VecDeque<Bytes> {
        let mut ending: VecDeque<Bytes> = (0..choices).map(|index| self.finish(index)).collect();
        if self.include_usage && self.usage {
            let usage = answer::usage_json(input, output);
            ending.push_back(format!("{}],\"usage\":{usage}}}\n\n", self.head).into());
        }
        ending.push_back(Bytes::from_static(b"data: [DONE]\n\n"));
        ending
    }
}
