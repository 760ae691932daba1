//! The requests that are measured.

use crate::counts::Counts;

/// The model that is asked for.
pub(crate) const MODEL: &str = "sim-chat";

/// One kind of request.
pub(crate) struct Scenario {
    /// What the report calls it.
    pub(crate) name: &'static str,
    /// Bytes of prompt.
    prompt_bytes: usize,
    /// Whether the answer is a stream.
    stream: bool,
    /// Tokens of answer; in a stream, about as many chunks.
    answer_tokens: usize,
    /// Requests whose CPU is measured in a round.
    pub(crate) a_round: usize,
    /// Requests a second while latency is measured.
    pub(crate) per_second: u32,
    /// Most that one request may cost.
    pub(crate) ceiling: Counts,
}

/// Chat of 200 bytes, chat of 10 kB, and a stream of 50 chunks.
pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "chat 200 B",
        prompt_bytes: 80,
        stream: false,
        answer_tokens: 20,
        a_round: 16_000,
        per_second: 1_000,
        ceiling: Counts { instructions: 76_000.0, allocations: 27.0, system_calls: 5.1 },
    },
    Scenario {
        name: "chat 10 kB",
        prompt_bytes: 10_000,
        stream: false,
        answer_tokens: 20,
        a_round: 16_000,
        per_second: 1_000,
        ceiling: Counts { instructions: 104_000.0, allocations: 27.0, system_calls: 5.2 },
    },
    Scenario {
        name: "stream 50 chunks",
        prompt_bytes: 80,
        stream: true,
        answer_tokens: 50,
        a_round: 1_600,
        per_second: 100,
        ceiling: Counts { instructions: 370_000.0, allocations: 30.0, system_calls: 60.0 },
    },
];

impl Scenario {
    /// The whole HTTP/1.1 request, head and body, ready to be written again and again.
    pub(crate) fn request(&self, authority: &str, key: &str) -> Vec<u8> {
        let prompt = "x".repeat(self.prompt_bytes);
        let usage = if self.stream {
            r#","stream":true,"stream_options":{"include_usage":true}"#
        } else {
            ""
        };
        let body = format!(
            r#"{{"model":"{MODEL}","max_tokens":{},"messages":[{{"role":"user","content":"{prompt}"}}]{usage}}}"#,
            self.answer_tokens,
        );
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {authority}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len(),
        );
        [head.into_bytes(), body.into_bytes()].concat()
    }
}
