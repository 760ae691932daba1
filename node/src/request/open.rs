//! A request on its way: everything that must be put in order when it ends, whichever way it ends.

use super::patience::Patience;
use super::policy::{self, Place};
use super::terms::{Candidate, Terms};
use super::trail::{Charged, Line, Record};
use super::translate::Losses;
use super::way::Way;
use crate::metrics::slots::{Ending, RouteSlot};
use crate::plane::core::Core;
use crate::plane::pool::Lent;
use crate::receipts::ReceiptId;
use api::inference::Hints;
use cluster::allowance::{Charge, Hold};
use cluster::rates::Begun;
use cost::{Bill, ModelTerms, Quote};
use http::HeaderValue;
use hyper::body::Incoming;
use ledger::UnixMillis;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use wire::dialect::Dialect;
use wire::relay::Relay;
use wire::{Operation, Usage, Work};

/// A request on its way, with what is held for it.
pub(crate) struct Open {
    pub(crate) core: Rc<Core>,
    pub(crate) terms: Rc<Terms>,
    /// Where the present attempt goes.
    pub(crate) candidate: Rc<Candidate>,
    /// What the present attempt is charged to and limited by.
    pub(crate) way: Rc<Way>,
    pub(crate) hints: Hints,
    /// How long the caller waits.
    pub(crate) patience: Patience,
    /// Place of the credential that the present attempt goes out with.
    pub(crate) credential: usize,
    pub(crate) quote: Quote,
    /// The money of the present attempt.
    pub(crate) hold: Option<Hold>,
    /// Its places under the limits of its attempts; in flight until dropped.
    pub(crate) places: Vec<Place>,
    /// Its places under budgets that slow down near their limit.
    pub(crate) throttled: Vec<Begun>,
    /// The model asked for, where a budget near its limit has another one serve.
    pub(crate) downgraded_from: Option<HeaderValue>,
    pub(crate) operation: Operation,
    /// What was asked for that is counted in other units than tokens.
    pub(crate) work: Work,
    /// The provider works on when nobody listens: what is not told yet may still come.
    pub(crate) background: bool,
    /// What the caller speaks.
    pub(crate) face: &'static Dialect,
    /// What of the request did not go on as it was, where the present attempt is told in another dialect.
    pub(crate) dropped: Losses,
    pub(crate) request_id: HeaderValue,
    pub(crate) receipt: ReceiptId,
    /// When it came.
    pub(crate) at: UnixMillis,
    /// Attempts that are settled, in order.
    pub(crate) charged: Vec<Charged>,
    pub(crate) stream: bool,
    pub(crate) attempts: u32,
    /// Status of the answer; zero before there is one.
    pub(crate) status: u16,
    pub(crate) started: Instant,
    pub(crate) first_byte_us: u64,
    /// What earlier attempts were charged.
    pub(crate) spent_before_nano_usd: i64,
}

impl Open {
    pub(crate) fn terms(&self) -> &ModelTerms {
        &self.candidate.terms
    }

    pub(crate) fn slot(&self) -> &Arc<RouteSlot> {
        self.candidate.slot(self.operation, &self.core.slots)
    }

    /// Counts what an attempt was charged.
    pub(crate) fn count(&mut self, held: &Charge, charge: &Charge, usage: &Usage) {
        let spent = u64::try_from(charge.nano_usd).unwrap_or(0);
        let debt = u64::try_from(charge.nano_usd - held.nano_usd).unwrap_or(0);
        let slot = self.slot();
        slot.count_usage(usage);
        slot.spent_nano_usd.add(spent);
        slot.debt_nano_usd.add(debt);
        self.spent_before_nano_usd = self.spent_before_nano_usd.saturating_add(charge.nano_usd);
        policy::count_tokens(self, u64::try_from(charge.tokens).unwrap_or(0));
    }

    /// Nothing of it happened, as far as rates are concerned.
    pub(crate) fn cancel_rates(&mut self) {
        policy::give_back(self, 0);
        self.throttled.drain(..).for_each(Begun::cancel);
    }

    /// The request is over: rates, metrics and log hear of it.
    pub(crate) fn over(mut self, usage: &Usage, told: bool, ending: Ending) {
        policy::end(std::mem::take(&mut self.places), self.core.now());
        let duration_us = micros(self.started);
        let slot = self.slot();
        slot.endings[ending as usize].add(1);
        slot.duration.add(duration_us);
        if self.first_byte_us > 0 {
            slot.first_byte.add(self.first_byte_us);
        }
        let held = self.quote.charge(self.terms());
        let record = Record {
            request_id: self.request_id.clone(),
            receipt: self.receipt,
            at: self.at,
            key_id: Arc::clone(&self.terms.key_id),
            operation: self.operation,
            provider: Arc::clone(&self.candidate.upstream.name),
            model: Arc::clone(&self.candidate.label),
            stream: self.stream,
            status: self.status,
            attempts: self.attempts,
            ending,
            usage: *usage,
            usage_reported: told,
            cost_nano_usd: self.spent_before_nano_usd,
            held_nano_usd: held.nano_usd,
            duration_us,
            first_byte_us: self.first_byte_us,
            charged: std::mem::take(&mut self.charged),
        };
        self.core.ring.put(Line::Served(record), &self.core.slots);
    }
}

/// Microseconds since `started`.
pub(crate) fn micros(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// A request whose caller is gone, with what may still come from the provider.
pub(crate) enum Abandoned {
    /// Nothing was sent: the hold is void.
    Unsent(Open),
    /// It was sent, and no head of an answer had come.
    Unanswered(Open),
    /// A stream was coming.
    Stream(Open, Box<Coming>),
}

/// A stream that is coming from the provider.
pub(crate) struct Coming {
    pub(crate) relay: Box<dyn Relay>,
    pub(crate) body: Incoming,
    pub(crate) lent: Lent,
}

/// Holds an open request and, where it is dropped with the request in it, sends it to be settled.
pub(crate) struct Guard {
    open: Option<Open>,
    /// The present attempt has been handed to a connection.
    pub(crate) sent: bool,
    /// The stream it brought, until it is passed on.
    pub(crate) coming: Option<Box<Coming>>,
}

impl Guard {
    pub(crate) fn new(open: Open) -> Self {
        Self { open: Some(open), sent: false, coming: None }
    }

    /// The open request. Only [`Guard::take`] empties a guard, and it consumes it.
    pub(crate) fn get(&mut self) -> &mut Open {
        self.open.as_mut().expect("taken only by value")
    }

    /// Takes the request out, to be settled by the taker.
    pub(crate) fn take(mut self) -> Open {
        self.open.take().expect("taken only by value")
    }

    /// Settles the request.
    pub(crate) fn close(self, bill: Bill, ending: Ending) {
        super::settle::close(self.take(), bill, ending);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(open) = self.open.take() else { return };
        let abandon = open.core.abandon.clone();
        let abandoned = match (self.coming.take(), self.sent) {
            (Some(coming), _) => Abandoned::Stream(open, coming),
            (None, true) => Abandoned::Unanswered(open),
            (None, false) => Abandoned::Unsent(open),
        };
        // The receiver lives as long as the thread; a hold lost with the thread is charged in full.
        let _ = abandon.send(abandoned);
    }
}
