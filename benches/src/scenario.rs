//! The requests that are measured.

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
}

/// Chat of 200 bytes, chat of 10 kB, and a stream of 50 chunks.
pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "chat 200 B",
        prompt_bytes: 80,
        stream: false,
        answer_tokens: 20,
    },
    Scenario {
        name: "chat 10 kB",
        prompt_bytes: 10_000,
        stream: false,
        answer_tokens: 20,
    },
    Scenario {
        name: "stream 50 chunks",
        prompt_bytes: 80,
        stream: true,
        answer_tokens: 50,
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
            r#"{{"model":"sim/sim-small","max_tokens":{},"messages":[{{"role":"user","content":"{prompt}"}}]{usage}}}"#,
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
