//! What one thread knows and has: terms, connections, counters; and the node as `api` sees it.

use super::{PlaneSettings, Shared};
use crate::metrics::slots::ThreadSlots;
use crate::receipts::{ReceiptId, ReceiptIds};
use crate::request::open::Abandoned;
use crate::request::relay::NodeBody;
use crate::request::terms::{Book, Candidate, Route, Terms};
use crate::request::trail::{Line, Refused, Ring};
use crate::request::way::{NoWay, Way};
use crate::request::{self, auth};
use api::inference::request_id::RequestIds;
use api::inference::{Errand, Hints, Inbound, Inference, KeyQuestion, KeyStanding, Limits, Probe};
use api::refusal::Reason;
use bytes::Bytes;
use cluster::allowance::Allowances;
use cluster::rates::Rates;
use http::{HeaderValue, Response};
use ledger::{Ledger, UnixMillis};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::UnboundedSender;
use wire::Refusal;

/// Most ways that are made before all are forgotten and begun anew: sessions and tags make new ones without
/// end, each with purses, meters and a row of usage that stay as long as the way does. Some 20 MB.
const WAYS_MAX: usize = 16_384;

/// What one thread knows and has.
pub(crate) struct Core {
    pub(crate) shared: Arc<Shared>,
    pub(crate) slots: Arc<ThreadSlots>,
    pub(crate) ring: Arc<Ring>,
    /// Where requests go whose caller left.
    pub(crate) abandon: UnboundedSender<Abandoned>,
    pub(crate) node_name: HeaderValue,
    book: RefCell<Book>,
    ids: RequestIds,
    receipt_ids: ReceiptIds,
    draws: Cell<u64>,
    /// Ways made since the book was emptied.
    ways_made: Cell<usize>,
}

impl Core {
    pub(crate) fn new(
        shared: Arc<Shared>,
        slots: Arc<ThreadSlots>,
        ring: Arc<Ring>,
        abandon: UnboundedSender<Abandoned>,
    ) -> Self {
        let origin = random();
        Self {
            node_name: HeaderValue::from_str(&shared.settings.node_name)
                .unwrap_or_else(|_| HeaderValue::from_static("?")),
            shared,
            slots,
            ring,
            abandon,
            book: RefCell::new(Book::empty()),
            ids: RequestIds::new(origin),
            receipt_ids: ReceiptIds::new(origin),
            // Zero would stay zero for ever.
            draws: Cell::new(origin | 1),
            ways_made: Cell::new(0),
        }
    }

    pub(crate) fn settings(&self) -> &PlaneSettings {
        &self.shared.settings
    }

    pub(crate) fn allowances(&self) -> &Allowances {
        self.shared.cluster.allowances()
    }

    pub(crate) fn rates(&self) -> &Rates {
        self.shared.cluster.rates()
    }

    /// The ledger as this node has applied it.
    pub(crate) fn view(&self) -> Arc<Ledger> {
        self.shared.cluster.ledger()
    }

    /// Counts and logs what the gateway says of its own in the place of an answer.
    pub(crate) fn refused(&self, refusal: &Refusal, request_id: &HeaderValue) {
        self.slots.count_refusal(refusal.code);
        let line = Line::Refused(Refused {
            request_id: request_id.clone(),
            status: refusal.status,
            code: refusal.code,
            note: refusal.note.as_deref().map(str::to_owned),
        });
        self.ring.put(line, &self.slots);
    }

    /// The id of a receipt for a request that came at `now`.
    pub(crate) fn receipt_id(&self, now: UnixMillis) -> ReceiptId {
        self.receipt_ids.next(now, self.shared.cluster.node_id())
    }

    /// What a request to a place is charged to and limited by.
    pub(crate) fn way(
        &self,
        terms: &Terms,
        candidate: &Candidate,
        hints: &Hints,
    ) -> Result<Rc<Way>, NoWay> {
        let prepare = || {
            self.ways_made.set(self.ways_made.get() + 1);
            Way::prepare(&self.view(), terms, candidate, hints, &self.shared)
        };
        candidate.ways.get(hints, prepare)
    }

    /// The wall clock.
    pub(crate) fn now(&self) -> UnixMillis {
        wall_clock()
    }

    /// A number to draw lots with: xorshift, good enough to share traffic.
    pub(crate) fn draw(&self) -> u64 {
        let mut x = self.draws.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.draws.set(x);
        x
    }

    /// The terms of a presented key.
    fn terms(&self, view: &Ledger, presented: Option<&str>) -> Result<Rc<Terms>, Refusal> {
        let mut book = self.book.borrow_mut();
        book.renew(view, &self.shared);
        if self.ways_made.get() >= WAYS_MAX {
            self.ways_made.set(0);
            book.forget_terms();
        }
        let Some(pepper) = &book.pepper else {
            return Err(Reason::ClusterUnavailable
                .refuse("this node belongs to no cluster yet, or cannot open its secrets"));
        };
        let hash = auth::hash(pepper.expose(), presented)?;
        book.terms(view, &hash).ok_or_else(|| auth::unknown(self.shared.cluster.stale_for()))
    }

    /// The same terms where the configuration has not changed since they were looked up, else new ones.
    pub(crate) fn still_valid(
        &self,
        view: &Ledger,
        terms: Rc<Terms>,
    ) -> Result<Rc<Terms>, Refusal> {
        let mut book = self.book.borrow_mut();
        if book.config_index == view.config_index {
            return Ok(terms);
        }
        book.renew(view, &self.shared);
        let hash = terms.key.hash;
        book.terms(view, &hash).ok_or_else(|| auth::unknown(self.shared.cluster.stale_for()))
    }

    /// A provider as the place of what it keeps.
    pub(crate) fn shelf(
        &self,
        terms: &Terms,
        provider: &str,
        operation: wire::Operation,
    ) -> Option<Rc<Candidate>> {
        self.book.borrow().shelf(terms, provider, operation)
    }

    /// Where a model name may go.
    pub(crate) fn route(
        &self,
        view: &Ledger,
        terms: &Terms,
        asked: &str,
    ) -> Result<Rc<Route>, Refusal> {
        self.book.borrow().route(view, terms, asked, &self.shared)
    }
}

/// The wall clock.
pub(crate) fn wall_clock() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness ids are still unique within the thread.
    let _ = getrandom::fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}

/// The node as `api` sees it: one thread's part of it.
pub(crate) struct Node(pub(crate) Rc<Core>);

impl Inference for Node {
    type Caller = Rc<Terms>;
    type Body = NodeBody;

    fn limits(&self) -> Limits {
        Limits {
            body_bytes_max: self.0.settings().body_bytes_max,
            body_within: self.0.settings().body_within,
        }
    }

    fn request_id(&self) -> HeaderValue {
        self.0.ids.next()
    }

    fn draining(&self) -> bool {
        self.0.shared.health.draining()
    }

    async fn probe(&self, probe: Probe, query: &str) -> (bool, String) {
        let health = &self.0.shared.health;
        match probe {
            Probe::Live => health.livez(),
            Probe::Ready => health.readyz(query).await,
            Probe::Started => health.startupz(),
        }
    }

    fn identify(&self, presented: Option<&str>) -> Result<Rc<Terms>, Refusal> {
        let terms = self.0.terms(&self.0.view(), presented)?;
        auth::admissible(&terms.key, self.0.now())?;
        Ok(terms)
    }

    fn models(&self, caller: &Rc<Terms>) -> Vec<api::inference::Model> {
        request::models::of(&self.0.view(), &caller.key, self.0.shared.catalog)
    }

    async fn key(&self, caller: &Rc<Terms>, question: KeyQuestion) -> Result<KeyStanding, Refusal> {
        request::standing::of(&self.0, &caller.key, question).await
    }

    async fn receipt(&self, caller: &Rc<Terms>, id: &str) -> Result<Bytes, Refusal> {
        let shared = &self.0.shared;
        shared.receipts.find(&shared.cluster, id, &caller.key_id).await
    }

    async fn answer(
        &self,
        caller: Rc<Terms>,
        inbound: Inbound,
    ) -> Result<Response<NodeBody>, Refusal> {
        request::answer(&self.0, caller, inbound).await
    }

    async fn fetch<B>(
        &self,
        caller: Rc<Terms>,
        errand: Errand,
        body: &mut Option<B>,
    ) -> Result<Response<NodeBody>, Refusal>
    where
        B: http_body::Body<Data = Bytes> + Unpin + 'static,
        B::Error: std::fmt::Display,
    {
        request::kept::fetch(&self.0, caller, errand, body).await
    }

    fn refused(&self, refusal: &Refusal, request_id: &HeaderValue) {
        self.0.refused(refusal, request_id);
    }
}
