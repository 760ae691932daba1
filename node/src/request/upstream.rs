//! Ask: one provider made ready, and one attempt at it.

use super::doors::{ProviderDoors, Trouble};
pub(crate) use super::failure::Failure;
use super::failure::Said;
use super::patience::Wait;
use super::place::{Paths, head, own_headers, spoken};
use super::proof::Proof;
use crate::credential::{Credential, Unready};
use crate::plane::Shared;
use crate::plane::core::wall_clock;
use crate::plane::pieces::Pieces;
use crate::plane::pool::{Broken, Lent, Peer, Pool, connector};
use api::refusal::Reason;
use bytes::{Bytes, BytesMut};
use cost::Bill;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use http::uri::{Scheme, Uri};
use http::{HeaderMap, Method, Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use ledger::{Provider, StreamUsage};
use rustls::pki_types::ServerName;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use wire::Refusal;
use wire::dialect::Dialect;
use wire::provider::Speech;

/// Largest plain answer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Largest error answer that is read, in bytes.
const ERROR_BYTES_MAX: usize = 1 << 20;

/// Headers of the caller's that a provider gets as they are.
const FORWARDED: [&str; 2] = ["traceparent", "tracestate"];

/// A provider made ready: nothing is parsed or formatted per request but what differs.
pub(crate) struct Upstream {
    pub(crate) name: Arc<str>,
    /// Its name, as a response header.
    pub(crate) said: HeaderValue,
    pub(crate) wire: &'static wire::provider::Provider,
    pub(crate) stream_usage: StreamUsage,
    pub(crate) attempts_max: u32,
    pub(crate) timeout: Duration,
    pub(crate) changed_index: u64,
    /// Which credentials are passed over for now.
    pub(crate) doors: Arc<ProviderDoors>,
    /// Weights of the credentials.
    pub(crate) weights: Vec<u32>,
    /// Headers of a request, by credential.
    heads: Vec<HeaderMap>,
    /// What of a request proves who sends it and is not in its head, by credential.
    proofs: Vec<Proof>,
    /// Names of the credentials.
    names: Vec<String>,
    paths: Paths,
    pool: Rc<Pool>,
}

impl Upstream {
    /// Makes a provider ready.
    ///
    /// # Errors
    ///
    /// A kind, base URL or credential that cannot be used; in words.
    pub(crate) fn prepare(provider: &Provider, shared: &Shared) -> Result<Self, String> {
        let base: Uri = provider
            .base_url
            .parse()
            .map_err(|error| format!("base URL {}: {error}", provider.base_url))?;
        let peer = peer(provider, &base, shared)?;
        let authority = base.authority().ok_or("the base URL names no host")?;
        let host = HeaderValue::from_str(authority.as_str()).map_err(|error| error.to_string())?;
        let wire = spoken(provider, base.path())?;
        let mut heads = Vec::with_capacity(provider.credentials.len());
        let mut proofs = Vec::with_capacity(provider.credentials.len());
        for credential in &provider.credentials {
            let secret = match &credential.secret {
                None => None,
                Some(sealed) => {
                    let purpose = format!("credential:{}/{}", provider.name, credential.name);
                    let secret = shared.vault.open(&purpose, sealed);
                    Some(secret.map_err(|error| error.to_string())?)
                }
            };
            let place = (provider.name.as_str(), credential.name.as_str());
            let (proof, auth) = Proof::of(place, wire.auth, secret.as_ref(), (&base, shared))?;
            let mut head = head(host.clone(), wire.headers, auth)?;
            own_headers(&provider.overrides.headers, secret.as_ref(), &mut head)?;
            heads.push(head);
            proofs.push(proof);
        }
        Ok(Self {
            name: Arc::from(provider.name.as_str()),
            said: HeaderValue::from_str(&provider.name).map_err(|error| error.to_string())?,
            wire,
            stream_usage: provider.stream_usage,
            attempts_max: provider.attempts_max.max(1),
            timeout: Duration::from_millis(provider.timeout_ms.max(1)),
            changed_index: provider.changed_index,
            doors: shared.doors.of(provider),
            weights: provider.credentials.iter().map(|credential| credential.weight).collect(),
            heads,
            proofs,
            names: provider.credentials.iter().map(|its| its.name.clone()).collect(),
            paths: Paths::new(&base, wire.speaks, &provider.overrides.paths)?,
            pool: Pool::new(peer),
        })
    }

    /// Where a model is asked.
    ///
    /// # Errors
    ///
    /// A name that makes no path.
    pub(crate) fn uri(&self, speech: &Speech, model: &str, streams: bool) -> Result<Uri, Refusal> {
        let unknown = |note: String| {
            Reason::ModelUnknown.refuse("the name of the model makes no path").with_note(note)
        };
        self.paths.uri(speech, model, streams).map_err(unknown)
    }

    /// Where a path is, behind the base URL.
    ///
    /// # Errors
    ///
    /// What makes no path.
    pub(crate) fn place(&self, path: &str) -> Result<Uri, Refusal> {
        self.paths
            .whole(path)
            .map_err(|note| Reason::UnknownPath.refuse("the path makes no URL").with_note(note))
    }

    /// Sends a request and waits for the head of the answer. `sent` is set as soon as the provider may
    /// have seen something. Where what was issued for it is refused, it is sent once more with what is issued
    /// then.
    pub(crate) async fn send(
        &self,
        order: &Order<'_>,
        sent: &mut bool,
    ) -> Result<(Response<Incoming>, Lent), Failure> {
        let proof = &self.proofs[order.credential];
        let within = order.wait.first(self.timeout);
        let shown = match tokio::time::timeout(within, proof.at_hand()).await {
            Ok(shown) => shown.map_err(|why| self.unready(order.credential, &why))?,
            Err(_) => return Err(self.unready(order.credential, &Unready::Waiting)),
        };
        let (response, lent) = self.exchange(order, shown.as_deref(), sent).await?;
        let Some(shown) = shown.filter(|_| matches!(response.status().as_u16(), 401 | 403)) else {
            return Ok((response, lent));
        };
        let at = (wall_clock().0, order.wait);
        let said = self.read_refusal(order.dialect, response, lent, at).await?;
        if !said.0.is_token_refused() {
            return Err(said.into());
        }
        match proof.renewed(&shown).await {
            Some(other) if !order.once => self.exchange(order, Some(&other), sent).await,
            Some(_) | None => Err(said.into()),
        }
    }

    /// The failure of an attempt whose credential is not at hand: nothing went out.
    fn unready(&self, credential: usize, why: &Unready) -> Failure {
        let (name, credential) = (&self.name, &self.names[credential]);
        let say = format!("credential {credential} of provider {name} has not been issued");
        let refusal = Reason::UpstreamCredential.refuse(say).with_note(why.to_string());
        let again = false;
        Failure { again, trouble: Trouble::Busy(None), ..Failure::new(refusal, Bill::Void) }
    }

    async fn exchange(
        &self,
        order: &Order<'_>,
        shown: Option<&Credential>,
        sent: &mut bool,
    ) -> Result<(Response<Incoming>, Lent), Failure> {
        // What can be sent once only needs a connection that cannot have died meanwhile.
        let lending = if order.once { self.pool.lend_new().await } else { self.pool.lend().await };
        let mut lent = lending.map_err(Failure::from)?;
        *sent = true;
        let exchange = async {
            match lent.send(self.request(order, shown)).await {
                // Nothing of it was written: the same bytes go out on a connection of their own.
                Err(Broken::Unsent) if lent.reused => {
                    let mut fresh = self.pool.lend_new().await?;
                    let response = fresh.send(self.request(order, shown)).await?;
                    Ok((response, fresh))
                }
                outcome => outcome.map(|response| (response, lent)),
            }
        };
        let within = order.within.unwrap_or(self.timeout);
        match tokio::time::timeout(order.wait.first(within), exchange).await {
            Ok(outcome) => outcome.map_err(Failure::from),
            Err(_) => Err(order.wait.over().unwrap_or_else(|| self.timed_out())),
        }
    }

    /// The failure of an answer, or of the next piece of one, that did not come in time.
    pub(crate) fn timed_out(&self) -> Failure {
        let say =
            format!("provider {} did not answer within {} ms", self.name, self.timeout.as_millis());
        Failure::new(Reason::UpstreamTimeout.refuse(say), Bill::Whole)
    }

    fn request(&self, order: &Order<'_>, shown: Option<&Credential>) -> Request<Pieces> {
        let mut request = Request::new((order.body)());
        *request.method_mut() = order.method.clone();
        *request.uri_mut() = order.uri.clone();
        let headers = request.headers_mut();
        *headers = self.heads[order.credential].clone();
        headers.insert(ACCEPT, HeaderValue::from_static(order.accept));
        if let Some(kind) = order.content_type {
            headers.insert(CONTENT_TYPE, kind.clone());
        }
        headers.insert(api::inference::request_id::X_REQUEST_ID, order.request_id.clone());
        for name in FORWARDED.iter().chain(order.forwards).copied() {
            if let Some(value) = order.caller.get(name) {
                headers.insert(HeaderName::from_static(name), value.clone());
            }
        }
        if let Some(shown) = shown {
            // What makes no header is refused by the provider, like any other that is wrong.
            let _ = self.proofs[order.credential].put(&mut request, shown);
        }
        request
    }

    /// Reads a plain answer to its end.
    async fn read(&self, body: Incoming, bytes_max: usize, wait: Wait) -> Result<Bytes, Failure> {
        let reading = collect(body, bytes_max, &self.name);
        match tokio::time::timeout(wait.rest(self.timeout), reading).await {
            Ok(outcome) => outcome,
            Err(_) => Err(wait.over().unwrap_or_else(|| self.timed_out())),
        }
    }

    /// Reads the answer to a call that was not a stream.
    pub(crate) async fn read_answer(&self, body: Incoming, wait: Wait) -> Result<Bytes, Failure> {
        self.read(body, ANSWER_BYTES_MAX, wait).await
    }

    /// Reads an answer under an error status: what the provider said.
    ///
    /// # Errors
    ///
    /// A status that no error has.
    pub(crate) async fn read_refusal(
        &self,
        dialect: &Dialect,
        response: Response<Incoming>,
        lent: Lent,
        (now_ms, wait): (u64, Wait),
    ) -> Result<Said, Failure> {
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        if !(400..600).contains(&status) {
            let say = format!("provider {} answered with status {status}", self.name);
            return Err(Failure::new(Reason::UpstreamGarbage.refuse(say), Bill::Void));
        }
        let body = match self.read(body, ERROR_BYTES_MAX, wait).await {
            Ok(body) => {
                lent.give_back();
                body
            }
            // The status alone says enough.
            Err(_) => Bytes::new(),
        };
        let header = |name: &str| Some(head.headers.get(name)?.to_str().ok()?.to_owned());
        let error = dialect.read_refusal(status, &header, &body, now_ms);
        Ok(Said(error, body))
    }
}

/// What is to be sent.
pub(crate) struct Order<'a> {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) dialect: &'static Dialect,
    pub(crate) credential: usize,
    /// The content type that is hoped for.
    pub(crate) accept: &'static str,
    /// The content type of the body, where it is no JSON.
    pub(crate) content_type: Option<&'a HeaderValue>,
    /// Makes the body; a second time where the first went into a dead connection.
    pub(crate) body: &'a dyn Fn() -> Pieces,
    pub(crate) request_id: HeaderValue,
    /// The caller's headers.
    pub(crate) caller: &'a HeaderMap,
    /// Those of them that go on beside what always does.
    pub(crate) forwards: &'static [&'static str],
    /// How long the caller waits.
    pub(crate) wait: Wait,
    /// How long the provider may take to answer, where that is not the ordinary time.
    pub(crate) within: Option<Duration>,
    /// The body can be made once only.
    pub(crate) once: bool,
}

fn peer(provider: &Provider, base: &Uri, shared: &Shared) -> Result<Peer, String> {
    let authority = base.authority().ok_or("the base URL names no host")?;
    let secure = base.scheme() == Some(&Scheme::HTTPS);
    let host = authority.host().to_owned();
    let tls = if secure {
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|error| format!("host {host}: {error}"))?;
        Some((connector(&shared.tls), name))
    } else {
        None
    };
    Ok(Peer {
        port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
        host,
        tls,
        allow_private: provider.allow_private_network,
        connect_within: shared.settings.upstream_connect_within,
        idle_for: shared.settings.upstream_idle_for,
    })
}

/// Reads a body; nothing is copied where it comes as one piece.
async fn collect(mut body: Incoming, bytes_max: usize, name: &str) -> Result<Bytes, Failure> {
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|error| {
            let say = format!("the answer of provider {name} broke off");
            let mut failure = Failure::garbage(say, Bill::Whole);
            failure.refusal.note = Some(error.to_string().into());
            failure
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + joined.len() + data.len() > bytes_max {
            let say = format!("the answer of provider {name} is larger than {bytes_max} bytes");
            return Err(Failure::garbage(say, Bill::Whole));
        }
        if joined.is_empty() && first.is_empty() {
            first = data;
            continue;
        }
        if joined.is_empty() {
            joined.extend_from_slice(&first);
            first = Bytes::new();
        }
        joined.extend_from_slice(&data);
    }
    Ok(if joined.is_empty() { first } else { joined.freeze() })
}
