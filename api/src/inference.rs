//! The surface callers use: `/v1/chat/completions`, `/v1/completions`, `/v1/embeddings`, `/v1/rerank`,
//! `/v1/messages`, `/v1/models`, `/v1/key`, `/v1/receipts/{id}`, the same under the prefixes of other gateways, and the
//! probes.
//!
//! [`serve`] is what one request goes through before and after the node itself: path, method, key,
//! body, and the shape of whatever is refused.

pub mod body;
pub mod carrier;
mod errand;
pub mod hints;
pub mod key;
mod linger;
pub mod models;
mod reply;
pub mod request_id;
mod route;

pub(crate) use errand::decoded;
pub use errand::{Errand, PROVIDER};
pub use hints::Hints;
pub use key::KeyStanding;
pub use models::Model;
pub use reply::ReplyBody;
pub use route::{Ask, Keeping, Probe, Route, asked, route};

use crate::refusal::{Reason, render};
use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use std::fmt::Display;
use std::time::Duration;
use wire::dialect::Dialect;
use wire::frame::Framing;
use wire::{Asked, Operation, Refusal};

/// Limits on what a caller sends.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest request body, in bytes.
    pub body_bytes_max: u64,
    /// Longest wait for a whole body.
    pub body_within: Duration,
}

/// A call whose key is known and whose body is here.
pub struct Inbound {
    /// What the body is said in.
    pub dialect: &'static Dialect,
    /// Which operation.
    pub operation: Operation,
    /// The model, where the path names it.
    pub model: Option<String>,
    /// Whether a stream is wanted, where the path says so.
    pub stream: Option<bool>,
    /// How a stream is to be framed, where the path says so.
    pub framing: Option<Framing>,
    /// The caller's headers.
    pub headers: HeaderMap,
    /// Tags and session, as the headers say.
    pub hints: Hints,
    /// The whole body.
    pub body: Bytes,
    /// What the caller finds it by.
    pub request_id: HeaderValue,
    /// The node's own id of it, which providers are told. The same where the caller brought none.
    pub own_id: HeaderValue,
}

impl Inbound {
    /// What the path says.
    #[must_use]
    pub fn asked(&self) -> Asked<'_> {
        Asked {
            operation: self.operation,
            model: self.model.as_deref(),
            stream: self.stream,
            framing: self.framing,
            content_type: self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()),
        }
    }
}

/// What a caller wants to know of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyQuestion {
    /// Also what it used by days, which takes a look at all rows of usage.
    pub spending: bool,
}

/// What a node must be able to do for callers. One value per thread; nothing here crosses threads.
pub trait Inference {
    /// Who asks, as the node knows them.
    type Caller;
    /// The body of an answer.
    type Body: Body<Data = Bytes>;

    /// What callers are held to.
    fn limits(&self) -> Limits;

    /// An id of the node's own for a request.
    fn request_id(&self) -> HeaderValue;

    /// Whether answers should ask callers to connect anew, elsewhere.
    fn draining(&self) -> bool;

    /// Answers a probe: whether all is well, and the lines that say so.
    fn probe(&self, probe: Probe, query: &str) -> impl Future<Output = (bool, String)>;

    /// Finds out who asks.
    ///
    /// # Errors
    ///
    /// A key that is missing, unknown, mistyped or blocked.
    fn identify(&self, presented: Option<&str>) -> Result<Self::Caller, Refusal>;

    /// The models this caller may use, sorted by name.
    fn models(&self, caller: &Self::Caller) -> Vec<Model>;

    /// What this caller may do and how much is left. Costs nothing.
    ///
    /// # Errors
    ///
    /// Where this node cannot say.
    fn key(
        &self,
        caller: &Self::Caller,
        question: KeyQuestion,
    ) -> impl Future<Output = Result<KeyStanding, Refusal>>;

    /// The receipt of a request this caller made, as JSON.
    ///
    /// # Errors
    ///
    /// None of that id, or another key's; or the node that keeps it cannot be asked.
    fn receipt(
        &self,
        caller: &Self::Caller,
        id: &str,
    ) -> impl Future<Output = Result<Bytes, Refusal>>;

    /// Answers a call.
    ///
    /// # Errors
    ///
    /// Whatever the caller must hear instead of an answer.
    fn answer(
        &self,
        caller: Self::Caller,
        inbound: Inbound,
    ) -> impl Future<Output = Result<Response<Self::Body>, Refusal>>;

    /// Does an errand. The body is taken only where it is sent on.
    ///
    /// # Errors
    ///
    /// Whatever the caller must hear instead of an answer.
    fn fetch<B>(
        &self,
        caller: Self::Caller,
        errand: Errand,
        body: &mut Option<B>,
    ) -> impl Future<Output = Result<Response<Self::Body>, Refusal>>
    where
        B: Body<Data = Bytes> + Unpin + 'static,
        B::Error: Display;

    /// Hears of every refusal before it is said.
    fn refused(&self, refusal: &Refusal, request_id: &HeaderValue);
}

/// Serves one request. Must run within a `LocalSet`.
pub async fn serve<N, B>(node: &N, request: Request<B>) -> Response<ReplyBody<N::Body>>
where
    N: Inference,
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Display,
{
    let (head, body) = request.into_parts();
    let route = asked(&head.method, head.uri.path());
    if let Route::Probe(probe) = route
        && route.takes(&head.method)
    {
        return probed(node, probe, head.uri.query().unwrap_or("")).await;
    }
    let allow = route.allow();
    let face = match &route {
        Route::Call(ask) => ask.dialect,
        Route::Models(face) | Route::Model(face, _) => face.meant(&head.headers).dialect(),
        Route::Kept(keeping) => keeping.dialect,
        _ => route::dialect(head.uri.path()),
    };
    let own_id = node.request_id();
    let request_id = request_id::of_caller(&head.headers).unwrap_or_else(|| own_id.clone());
    let mut response = match dispatch(node, head, body, (&request_id, own_id)).await {
        Ok(response) => response,
        Err(refusal) => {
            node.refused(&refusal, &request_id);
            let mut response = render(face, &refusal).map(ReplyBody::whole);
            if let Some(allow) = allow
                && response.status() == StatusCode::METHOD_NOT_ALLOWED
            {
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
            }
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(request_id::X_REQUEST_ID, request_id);
    if node.draining() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn dispatch<N, B>(
    node: &N,
    head: Parts,
    body: B,
    (request_id, own_id): (&HeaderValue, HeaderValue),
) -> Result<Response<ReplyBody<N::Body>>, Refusal>
where
    N: Inference,
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Display,
{
    let path = head.uri.path().to_owned();
    let route = asked(&head.method, &path);
    let known = check_method(&route, &head).and_then(|()| node.identify(presented(&route, &head)));
    let caller = match known {
        Ok(caller) => caller,
        Err(refusal) => {
            linger::unless_expecting(&head.headers, body);
            return Err(refusal);
        }
    };
    match route {
        Route::Call(ask) => {
            let hints = match Hints::read(&head.headers) {
                Ok(hints) => hints,
                Err(refusal) => {
                    linger::unless_expecting(&head.headers, body);
                    return Err(refusal);
                }
            };
            let body = take_body(node.limits(), &head.headers, body).await?;
            let request_id = request_id.clone();
            let ask = ask.with_query(head.uri.query().unwrap_or(""));
            let Asked { operation, model, stream, framing, .. } = ask.asked;
            let model = model.map(decoded);
            let (dialect, headers) = (ask.dialect, head.headers);
            let inbound = Inbound {
                dialect,
                operation,
                model,
                stream,
                framing,
                headers,
                hints,
                body,
                request_id,
                own_id,
            };
            let response = node.answer(caller, inbound).await?;
            Ok(response.map(ReplyBody::node))
        }
        Route::Kept(keeping) => {
            let headers = head.headers.clone();
            let mut body = Some(body);
            let outcome = match Errand::read(keeping, head, (request_id.clone(), own_id)) {
                Ok(errand) => node.fetch(caller, errand, &mut body).await,
                Err(refusal) => Err(refusal),
            };
            if let Some(unwanted) = body {
                linger::unless_expecting(&headers, unwanted);
            }
            Ok(outcome?.map(ReplyBody::node))
        }
        Route::Models(face) => {
            let query = head.uri.query().unwrap_or("");
            Ok(json(face.meant(&head.headers).list(&node.models(&caller), query)?))
        }
        Route::Model(face, name) => {
            one_model(&node.models(&caller), face.meant(&head.headers), &decoded(name))
        }
        Route::Key(face) => {
            own_key_only(&head)?;
            let question = KeyQuestion { spending: face.tells_spending() };
            Ok(json(node.key(&caller, question).await?.render(face)))
        }
        Route::Receipt(id) => Ok(json(node.receipt(&caller, id).await?)),
        Route::Probe(_) | Route::Unknown => Err(unknown(&head)),
    }
}

/// The key that is presented: in a header, or in the query where the face has it there.
fn presented<'a>(route: &Route<'_>, head: &'a Parts) -> Option<&'a str> {
    let may = match route {
        Route::Call(ask) => ask.takes_key_of_query(),
        Route::Models(face) | Route::Model(face, _) => *face == models::Face::Gemini,
        Route::Key(_) | Route::Receipt(_) | Route::Kept(_) | Route::Probe(_) | Route::Unknown => {
            false
        }
    };
    let in_query = || {
        let pairs = head.uri.query().unwrap_or("").split('&');
        pairs.filter_map(|pair| pair.strip_prefix("key=")).find(|key| !key.is_empty())
    };
    carrier::presented(&head.headers).or_else(|| in_query().filter(|_| may))
}

fn check_method(route: &Route<'_>, head: &Parts) -> Result<(), Refusal> {
    let Some(allow) = route.allow() else {
        return Err(unknown(head));
    };
    if route.takes(&head.method) {
        return Ok(());
    }
    let say = format!("{} is not allowed on {}; use {allow}", head.method, head.uri.path());
    Err(Reason::MethodNotAllowed.refuse(say))
}

fn unknown(head: &Parts) -> Refusal {
    // A path may be anything; no more of it than this is said back.
    let path: String = head.uri.path().chars().take(200).collect();
    Reason::UnknownPath.refuse(format!("unknown path: {} {path}", method_name(&head.method)))
}

fn method_name(method: &Method) -> &str {
    method.as_str().get(..16).unwrap_or(method.as_str())
}

/// LiteLLM's question may name another key; here a key may ask about itself only.
fn own_key_only(head: &Parts) -> Result<(), Refusal> {
    let query = head.uri.query().unwrap_or("");
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("key="));
    match asked {
        Some(asked) if carrier::presented(&head.headers) != Some(asked) => Err(Reason::KeyBlocked
            .refuse("a virtual key may ask about itself only; leave out the parameter key")),
        Some(_) | None => Ok(()),
    }
}

async fn take_body<B>(limits: Limits, headers: &HeaderMap, body: B) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Display,
{
    if let Err(refusal) = body::check_head(headers, limits.body_bytes_max) {
        linger::unless_expecting(headers, body);
        return Err(refusal);
    }
    let mut body = body;
    let read = body::read(&mut body, limits.body_bytes_max, limits.body_within).await;
    if let Err(refusal) = &read
        && refusal.status == 413
    {
        linger::linger(body);
    }
    read
}

fn one_model<T>(
    models: &[Model],
    face: models::Face,
    name: &str,
) -> Result<Response<ReplyBody<T>>, Refusal> {
    if let Some(model) = models.iter().find(|model| model.id == name) {
        return Ok(json(face.one(model)));
    }
    let shown: String = name.chars().take(200).collect();
    Err(Reason::ModelUnknown
        .refuse(format!("the model {shown} does not exist or this key may not use it")))
}

fn json<T>(body: Bytes) -> Response<ReplyBody<T>> {
    let mut response = Response::new(ReplyBody::whole(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn probed<N: Inference>(node: &N, probe: Probe, query: &str) -> Response<ReplyBody<N::Body>> {
    let (ok, text) = node.probe(probe, query).await;
    let mut response = Response::new(ReplyBody::whole(Bytes::from(text)));
    if !ok {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
