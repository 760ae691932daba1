//! What providers keep between requests - stored answers, files, batches - handed on as it is.
//!
//! Nothing of it is read, and nothing is held whole. It costs a request and no money; but for batches, whose
//! cost nobody knows before they are done: no hard budget admits those.

mod upload;

use super::auth;
use super::headers;
use super::hints;
use super::instances;
use super::open::{Coming, Guard, Open};
use super::patience::Patience;
use super::relay::{NodeBody, Relay};
use super::reserve::reserve_request;
use super::settle;
use super::terms::Terms;
use super::translate::Losses;
use super::upstream::{Failure, Order};
use super::way::Way;
use super::{failed, refused, routing};
use crate::plane::core::Core;
use crate::plane::pieces::Pieces;
use api::inference::{Errand, PROVIDER};
use api::refusal::Reason;
use bytes::Bytes;
use cost::{Bill, Quote};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method, Response};
use http_body::Body;
use ledger::{Ledger, Provider, Unpriced, VirtualKey, view};
use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::rc::Rc;
use std::time::Instant;
use upload::Upload;
use wire::kept::Kept;
use wire::{Refusal, Work};

/// Headers of the caller's that go on.
const FORWARDED: &[&str] =
    &["openai-beta", "anthropic-beta", "anthropic-version", "idempotency-key", "range"];

/// Does an errand. The body is taken only where it is sent on.
///
/// # Errors
///
/// Whatever the caller must hear instead of an answer.
pub(crate) async fn fetch<B>(
    core: &Rc<Core>,
    terms: Rc<Terms>,
    errand: Errand,
    body: &mut Option<B>,
) -> Result<Response<NodeBody>, Refusal>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Display,
{
    let started = Instant::now();
    let now = core.now();
    let patience = Patience::read(&errand.headers, started)?;
    let bytes_max = core.settings().upload_bytes_max;
    api::inference::body::check_head(&errand.headers, bytes_max)?;
    let view = core.view();
    let terms = core.still_valid(&view, terms)?;
    auth::admissible(&terms.key, now)?;
    let hints = hints::of_key(errand.hints.clone(), &terms.key)?;
    may(&terms.key, &errand)?;
    let provider = keeper(&view, &terms.key, errand.provider.as_deref(), errand.shelf.kept)?;
    let operation = errand.shelf.kept.operation();
    let candidate =
        core.shelf(&terms, &provider.name, operation).ok_or_else(|| unusable(&provider.name))?;
    let (unpriced, works) =
        (provider.unpriced.clone(), errand.shelf.works && errand.method == Method::POST);
    drop(view);
    let way = instances::way(core, &terms, &candidate, &hints).await?;
    if works {
        affordable(&way, &unpriced, core.settings().exceeded_status)?;
    }
    let credential = routing::order(&candidate.upstream.weights, core.draw()).iter().next();
    let mut guard = Guard::new(Open {
        core: Rc::clone(core),
        candidate,
        way,
        hints,
        terms,
        patience,
        credential: credential.unwrap_or(0),
        quote: Quote::default(),
        hold: None,
        places: Vec::new(),
        throttled: Vec::new(),
        downgraded_from: None,
        operation,
        work: Work::default(),
        background: false,
        face: errand.dialect,
        dropped: Losses::default(),
        request_id: errand.request_id.clone(),
        receipt: core.receipt_id(now),
        at: now,
        charged: Vec::with_capacity(1),
        stream: false,
        attempts: 0,
        status: 0,
        started,
        first_byte_us: 0,
        spent_before_nano_usd: 0,
    });
    if let Err(refusal) = reserve_request(guard.get()).await {
        return refused(guard, refusal);
    }
    send(guard, &errand, body).await
}

/// Whether a key may: what is kept for all who share a credential is for those that were allowed to.
fn may(key: &VirtualKey, errand: &Errand) -> Result<(), Refusal> {
    if errand.is_own || key.may_use_files {
        return Ok(());
    }
    Err(Reason::FilesBlocked.refuse(format!(
        "virtual key {} may not use files, uploads, batches or lists of stored answers: all keys of a \
         provider's credential share them; the operator can set may_use_files on the key",
        key.id
    )))
}

/// The provider that keeps it: the one that is named, else the only one there is.
fn keeper<'a>(
    ledger: &'a Ledger,
    key: &VirtualKey,
    named: Option<&str>,
    kept: Kept,
) -> Result<&'a Provider, Refusal> {
    let what = kept.operation().name();
    let allowed =
        |provider: &&Provider| provider.enabled && view::provider_allowed(key, &provider.name);
    let keeps = |provider: &&Provider| {
        wire::provider::named(&provider.kind).is_some_and(|wire| wire.keeps.contains(&kept))
    };
    if let Some(name) = named {
        let found = ledger.providers.get(name).filter(allowed).ok_or_else(|| {
            let name: String = name.chars().take(200).collect();
            Reason::ProviderBlocked
                .refuse(format!("virtual key {} may not use a provider {name}", key.id))
        })?;
        return if keeps(&found) { Ok(found) } else { Err(keeps_none(name, what)) };
    }
    let all: Vec<&Provider> = ledger.providers.values().filter(allowed).filter(keeps).collect();
    match all.as_slice() {
        [] => Err(keeps_none("that this key may use", what)),
        [one] => Ok(one),
        several => {
            let names: Vec<&str> = several.iter().map(|provider| provider.name.as_str()).collect();
            Err(Reason::ProviderUnsaid.refuse(format!(
                "several providers have {what}: {}; name one in the header {PROVIDER}, or as provider= in \
                 the query",
                names.join(", ")
            )))
        }
    }
}

fn keeps_none(who: &str, what: &str) -> Refusal {
    Reason::OperationUnsupported.refuse(format!("no provider {who} can be asked for {what}"))
}

fn unusable(provider: &str) -> Refusal {
    Reason::UpstreamUnreachable.refuse(format!("provider {provider} cannot be used at present"))
}

/// Whether work of unknown cost may be begun.
fn affordable(way: &Way, unpriced: &Unpriced, exceeded_status: u16) -> Result<(), Refusal> {
    if way.hard {
        let say = "what a batch costs is not known before it is done, and a hard budget in money or tokens \
                   is charged; use a key without one";
        return Err(Refusal {
            status: exceeded_status,
            ..Reason::RequestExceedsBudget.refuse(say)
        });
    }
    if way.money && *unpriced != Unpriced::Track {
        let say = "what a batch costs is not known, and a budget in money is charged; the operator can \
                   have the provider track what has no price";
        return Err(Reason::ModelUnpriced.refuse(say));
    }
    Ok(())
}

/// Sends it on, and hands on what comes back.
async fn send<B>(
    mut guard: Guard,
    errand: &Errand,
    body: &mut Option<B>,
) -> Result<Response<NodeBody>, Refusal>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Display,
{
    let open = guard.get();
    open.attempts = 1;
    let (core, upstream) = (Rc::clone(&open.core), Rc::clone(&open.candidate.upstream));
    let (credential, wait) = (open.credential, open.patience.attempt(false));
    let settings = core.settings();
    let uri = upstream.place(&errand.path)?;
    let over = Rc::new(Cell::new(false));
    let flows = body.as_ref().is_some_and(|body| !body.is_end_stream());
    let upload = body.take().filter(|_| flows);
    let upload =
        RefCell::new(upload.map(|body| Upload::new(body, settings.upload_bytes_max, &over)));
    let order = Order {
        method: errand.method.clone(),
        uri,
        dialect: errand.dialect,
        credential,
        accept: "*/*",
        content_type: errand.headers.get(CONTENT_TYPE),
        body: &|| match upload.borrow_mut().take() {
            Some(upload) => Pieces::flow(Box::pin(upload)),
            None => Pieces::default(),
        },
        request_id: errand.own_id.clone(),
        caller: &errand.headers,
        forwards: FORWARDED,
        wait,
        within: flows.then_some(settings.stream_within),
        once: flows,
    };
    let (response, lent) = match upstream.send(&order, &mut guard.sent).await {
        Ok(answered) => answered,
        Err(_) if over.get() => {
            let say = format!("the file is larger than {} bytes", settings.upload_bytes_max);
            return failed(guard, Failure::unsaid(Reason::BodyTooLarge.refuse(say)));
        }
        Err(failure) => {
            upstream.doors.failed(credential, failure.trouble);
            return failed(guard, failure);
        }
    };
    let open = guard.get();
    open.first_byte_us = super::open::micros(open.started);
    open.status = response.status().as_u16();
    if !response.status().is_success() {
        let now_ms = core.now().0;
        let said = upstream.read_refusal(errand.dialect, response, lent, (now_ms, wait)).await;
        let failure = said.map_or_else(|failure| failure, Failure::from);
        upstream.doors.failed(credential, failure.trouble);
        // It was asked, and counts as a request.
        settle::give_up(open, Bill::Told(wire::Usage::default()), failure.refusal.code);
        return failed(guard, failure);
    }
    upstream.doors.answered(credential);
    let within = guard.get().patience.left(settings.stream_within);
    let (head, incoming) = response.into_parts();
    let mut out = http::HeaderMap::new();
    headers::answer(guard.get(), None, &mut out);
    out.remove(CONTENT_TYPE);
    for name in [CONTENT_TYPE, CONTENT_DISPOSITION] {
        if let Some(value) = head.headers.get(&name) {
            out.insert(name, HeaderValue::clone(value));
        }
    }
    let relay = Box::new(wire::relay::Raw::or_nothing());
    let coming = Box::new(Coming { relay, body: incoming, lent });
    let relay = Relay::new(upstream, coming, Vec::new(), guard, within);
    let mut response = Response::new(NodeBody::Stream(Box::new(relay)));
    *response.status_mut() = head.status;
    *response.headers_mut() = out;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use ledger::Allow;

    fn ledger(providers: &[(&str, &str)]) -> Ledger {
        let mut ledger = Ledger::default();
        for (name, kind) in providers {
            let provider = Provider {
                name: (*name).to_owned(),
                kind: (*kind).to_owned(),
                base_url: "http://127.0.0.1:1/v1".to_owned(),
                credentials: Vec::new(),
                models: Vec::new(),
                unpriced: Unpriced::Deny,
                stream_usage: ledger::StreamUsage::Ask,
                timeout_ms: 1,
                attempts_max: 1,
                allow_private_network: false,
                overrides: ledger::Overrides::default(),
                enabled: true,
                managed_by: "api:test".to_owned(),
                changed_index: 1,
            };
            ledger.providers.insert_mut(provider.name.clone(), provider);
        }
        ledger
    }

    #[test]
    fn the_one_that_is_named_keeps_it_or_the_only_one_there_is() {
        let ledger =
            ledger(&[("a", "openai"), ("b", "groq"), ("c", "deepseek"), ("d", "anthropic")]);
        let only = |names: &[&str]| VirtualKey {
            id: "k".to_owned(),
            providers: Allow::Only(names.iter().map(|name| (*name).to_owned()).collect()),
            ..VirtualKey::default()
        };
        let all = VirtualKey::default();
        let cases = [
            (all.clone(), None, Kept::Responses, Ok("a")),
            (all.clone(), None, Kept::MessageBatches, Ok("d")),
            (all.clone(), None, Kept::Files, Err("provider_required")),
            (only(&["b", "c"]), None, Kept::Files, Ok("b")),
            (only(&["c"]), None, Kept::Files, Err("unsupported_operation")),
            (all.clone(), Some("b"), Kept::Files, Ok("b")),
            (all.clone(), Some("c"), Kept::Files, Err("unsupported_operation")),
            (only(&["a"]), Some("b"), Kept::Files, Err("provider_blocked")),
            (all, Some("x"), Kept::Files, Err("provider_blocked")),
        ];
        for (key, named, kept, expected) in cases {
            let found = keeper(&ledger, &key, named, kept);
            let found =
                found.map(|provider| provider.name.as_str()).map_err(|refusal| refusal.code);
            assert_eq!(found, expected, "{named:?} {kept:?}");
        }
    }

    #[test]
    fn what_is_shared_is_for_keys_that_were_allowed_to() {
        let errand = |path: &str| {
            let place = wire::kept::find(path).unwrap();
            Errand {
                dialect: &wire::dialect::openai_chat::DIALECT,
                shelf: place.shelf,
                is_own: place.is_own,
                method: Method::GET,
                path: path.to_owned(),
                provider: None,
                headers: HeaderMap::new(),
                hints: api::inference::Hints::default(),
                request_id: HeaderValue::from_static("r"),
                own_id: HeaderValue::from_static("r"),
            }
        };
        let closed = VirtualKey::default();
        let open = VirtualKey { may_use_files: true, ..VirtualKey::default() };
        for (path, passes) in [
            ("/files", false),
            ("/files/file-0850765c843cca5300699cc47d93c0", false),
            ("/chat/completions", false),
            ("/responses/resp_0850765c843cca5300699cc47d93c0", true),
            ("/responses/1", false),
        ] {
            assert_eq!(may(&closed, &errand(path)).is_ok(), passes, "{path}");
            assert!(may(&open, &errand(path)).is_ok());
        }
        let refusal = may(&closed, &errand("/files")).unwrap_err();
        assert!(refusal.status == 403 && refusal.say.contains("may_use_files"));
    }
}
