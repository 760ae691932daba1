//! From a request to an answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::Settings;
use super::answer::{self, Outline};
use super::behaviour::{Behaviour, Standing};
use super::body::Body;
use super::books::{Bill, Books};
use super::question::{self, Kind, Question};
use super::stream::{Plan, Stream};

/// Most bytes of a request body.
const BODY_BYTES_MAX: usize = 128 << 20;
/// Most output tokens of a plain answer, and most bytes of a huge line.
const ANSWER_MAX: u64 = 64 << 20;

/// A simulated provider: its settings, its mood and its books.
pub(super) struct Provider {
    settings: Settings,
    models: Bytes,
    pub(super) books: Arc<Books>,
    /// Whether `standing` says anything: spares well-behaved requests the lock.
    stands: AtomicBool,
    standing: Mutex<Standing>,
}

/// A request turned away: status and message.
struct Refused(u16, String);

impl Provider {
    pub(super) fn new(settings: Settings) -> Provider {
        Provider {
            models: answer::models(&settings.models),
            books: Arc::new(Books::new(settings.prices)),
            stands: AtomicBool::new(false),
            standing: Mutex::default(),
            settings,
        }
    }

    pub(super) fn behave(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
        self.stands.store(true, Ordering::Release);
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let known = (request.method() == Method::POST)
            .then(|| match request.uri().path() {
                "/v1/chat/completions" => Some(Kind::Chat),
                "/v1/completions" => Some(Kind::Completion),
                "/v1/embeddings" => Some(Kind::Embedding),
                _ => None,
            })
            .flatten();
        match known {
            Some(kind) => match self.infer(kind, request).await {
                Ok(answer) => answer,
                Err(Refused(status, message)) => self.refuse(status, &message, None),
            },
            None => self.other(request).await,
        }
    }

    /// Everything that costs nothing.
    async fn other(&self, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        match (parts.method.as_str(), parts.uri.path()) {
            ("GET", "/v1/models") => match self.identify(&parts.headers) {
                Ok(_) => json(200, self.models.clone()),
                Err(Refused(status, message)) => self.refuse(status, &message, None),
            },
            ("GET", "/_sim/billed") => json(
                200,
                serde_json::to_vec(&self.books.billed()).expect("the books are plain data").into(),
            ),
            ("GET", "/_sim/health") => json(200, Bytes::from_static(b"{}")),
            ("POST", "/_sim/reset") => {
                self.books.reset();
                json(200, Bytes::from_static(b"{}"))
            }
            ("POST", "/_sim/behave") => match read_body(body).await.and_then(|bytes| {
                Standing::from_json(&bytes).map_err(|message| Refused(400, message))
            }) {
                Ok(standing) => {
                    self.behave(standing);
                    json(200, Bytes::from_static(b"{}"))
                }
                Err(Refused(status, message)) => json(status, answer::error(status, &message)),
            },
            (method, path) => {
                json(404, answer::error(404, &format!("unknown request: {method} {path}")))
            }
        }
    }

    /// Reads the question, decides how to answer it, opens the bill and answers.
    async fn infer(
        &self,
        kind: Kind,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Refused> {
        let (parts, body) = request.into_parts();
        let key = self.identify(&parts.headers)?;
        let bytes = read_body(body).await?;
        let question = question::read(kind, &bytes).map_err(|message| Refused(400, message))?;
        let models = &self.settings.models;
        if !models.is_empty() && !models.contains(&question.model) {
            return Err(Refused(404, format!("the model `{}` does not exist", question.model)));
        }
        let behaviour = self.behaviour(&parts.headers, &question)?;
        if let Some(status) = behaviour.status {
            wait(behaviour.latency_ms).await;
            return Ok(self.refuse(status, "refused on request", behaviour.retry_after_s));
        }
        let bill = self.books.accept(key, &question.model, question.input_tokens);
        let outline = self.outline(&bytes, &question, &behaviour);
        if behaviour.hang {
            std::future::pending::<()>().await;
        }
        if question.stream && !behaviour.garbage {
            wait(behaviour.latency_ms).await;
            let plan = Plan { outline: &outline, behaviour: &behaviour };
            let stream = Stream::new(&self.books, bill, &question, plan);
            return Ok(answered("text/event-stream", Body::Stream(Box::new(stream))));
        }
        let body = plain(bill, &question, &outline, &behaviour);
        wait(behaviour.latency_ms).await;
        Ok(answered("application/json", body))
    }

    /// The presented API key, if it is one of ours.
    fn identify<'a>(&self, headers: &'a HeaderMap) -> Result<&'a str, Refused> {
        let presented = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        let keys = &self.settings.api_keys;
        if keys.is_empty() || keys.iter().any(|key| key == presented) {
            return Ok(presented);
        }
        Err(Refused(401, "incorrect API key provided".into()))
    }

    /// What the request asks for, over what stands, over the settings.
    fn behaviour(&self, headers: &HeaderMap, question: &Question) -> Result<Behaviour, Refused> {
        let mut behaviour = question.behaviour.clone();
        if let Some(header) = headers.get("x-sim") {
            let text = header.to_str().map_err(|error| Refused(400, format!("x-sim: {error}")))?;
            let asked =
                Behaviour::parse(text).map_err(|error| Refused(400, format!("x-sim: {error}")))?;
            behaviour = behaviour.or(&asked);
        }
        if self.stands.load(Ordering::Acquire) {
            let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner).take();
            behaviour = behaviour.or(&standing);
        }
        Ok(behaviour.or(&self.settings.behaviour))
    }

    fn outline(&self, bytes: &[u8], question: &Question, behaviour: &Behaviour) -> Outline {
        let wanted = behaviour.output_tokens.unwrap_or(self.settings.output_tokens).min(ANSWER_MAX);
        let allowed = question.limit.unwrap_or(u64::MAX);
        let hash = blake3::hash(bytes);
        let id = hash.as_bytes().first_chunk().expect("a BLAKE3 hash has 32 bytes");
        Outline {
            id: u64::from_be_bytes(*id),
            model_json: serde_json::to_string(&question.model).expect("a string is always JSON"),
            output_tokens: if question.kind == Kind::Embedding { 0 } else { wanted.min(allowed) },
            limited: allowed < wanted,
            huge_line_bytes: behaviour.huge_line_bytes.unwrap_or(0).min(ANSWER_MAX),
            usage: !behaviour.no_usage,
        }
    }

    fn refuse(&self, status: u16, message: &str, retry_after_s: Option<u64>) -> Response<Body> {
        self.books.refuse();
        let mut response = json(status, answer::error(status, message));
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A plain answer, billed whole: a provider does not stop because nobody listens.
fn plain(mut bill: Bill, question: &Question, outline: &Outline, behaviour: &Behaviour) -> Body {
    bill.produced(outline.output_tokens * question.choices);
    if behaviour.garbage {
        return Body::whole(Bytes::from_static(b"\xff\xfe{\"id\": oops, data: \x00\x01 <html>"));
    }
    let bytes = match question.kind {
        Kind::Chat | Kind::Completion => answer::text(question, outline),
        Kind::Embedding => answer::embeddings(question, outline),
    };
    let wait = behaviour.first_byte_ms.map(Duration::from_millis);
    if wait.is_none() && behaviour.cut_after.is_none() {
        return Body::whole(bytes);
    }
    Body::troubled(bytes, wait, behaviour.cut_after.is_some())
}

async fn wait(ms: Option<u64>) {
    if let Some(ms) = ms {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

async fn read_body(body: Incoming) -> Result<Bytes, Refused> {
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(Refused(400, error.to_string())),
    }
}

fn answered(content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn json(status: u16, bytes: Bytes) -> Response<Body> {
    let mut response = answered("application/json", Body::whole(bytes));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status between 200 and 599");
    response
}
