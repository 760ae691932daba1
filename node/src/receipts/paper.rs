//! A receipt as its key reads it: JSON. One is written for every request, so nothing is copied on the way.

use super::ReceiptId;
use crate::request::standing::{unit, window};
use crate::request::trail::{Charged, Record};
use api::admin::v1::cluster::Id;
use api::admin::{Timestamp, Usd};
use cluster::allowance::Charge;
use cost::Prices;
use ledger::view::AccountTerms;
use ledger::{AccountId, Class, Service};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use wire::Usage;

/// Requests per price.
const MILLION: i64 = 1_000_000;
/// Length of a receipt, about, in bytes.
const BYTES: usize = 1_400;

/// A receipt.
#[derive(Serialize)]
struct Paper<'a> {
    object: &'static str,
    id: ReceiptId,
    request_id: &'a str,
    at: Timestamp,
    /// The node that served the request and keeps the receipt.
    node: Id,
    node_label: Option<&'a str>,
    key: Key<'a>,
    customer: Option<&'a str>,
    team: Option<&'a str>,
    user: Option<&'a str>,
    tags: &'a [String],
    session: Option<&'a str>,
    operation: &'static str,
    stream: bool,
    status: u16,
    ending: &'static str,
    duration_ms: u64,
    /// What the last attempt was charged to.
    accounts: Accounts<'a>,
    attempts: Attempts<'a>,
    cost_usd: Usd,
    cost_nano_usd: i64,
    settlement: Settlement,
}

#[derive(Serialize, Deserialize)]
struct Key<'a> {
    id: &'a str,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Serialize)]
struct Account<'a> {
    #[serde(serialize_with = "shown")]
    account: AccountId,
    budget: &'a str,
    subject: Option<&'a str>,
    window: Cow<'static, str>,
    unit: api::inference::key::Unit,
    period: u64,
}

#[derive(Serialize)]
struct Attempt<'a> {
    provider: &'a str,
    model: &'a str,
    outcome: &'static str,
    /// What the cost rests on: `reported` by the provider, `counted`, `estimated` under soft budgets, the
    /// whole `hold`, or `void`.
    basis: &'static str,
    hold: Amounts,
    usage: Tokens,
    price: Option<Applied<'a>>,
    cost_usd: Usd,
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Accounts<'a>>,
}

#[derive(Serialize)]
struct Amounts {
    usd: Usd,
    tokens: i64,
    requests: i64,
}

#[derive(Serialize)]
struct Tokens {
    input_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    output_tokens: u64,
    reasoning_tokens: u64,
    #[serde(flatten)]
    others: Others,
}

/// Counts that few requests have; zeros are left out.
#[derive(Serialize)]
struct Others {
    #[serde(skip_serializing_if = "is_zero")]
    cache_write_1h_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    audio_input_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    audio_cache_read_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    image_input_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    audio_output_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    image_output_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    images: u64,
    #[serde(skip_serializing_if = "is_zero")]
    input_ms: u64,
    #[serde(skip_serializing_if = "is_zero")]
    output_ms: u64,
    #[serde(skip_serializing_if = "is_zero")]
    characters: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pages: u64,
    #[serde(skip_serializing_if = "is_zero")]
    search_units: u64,
    #[serde(skip_serializing_if = "is_zero")]
    web_searches: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The prices an attempt was charged at, in billionths of a dollar.
#[derive(Serialize)]
struct Applied<'a> {
    version: &'a str,
    /// The class of service, and the length of the prompt, that they hold for.
    service: &'static str,
    above_input_tokens: u64,
    input_nano_usd_per_mtok: i64,
    output_nano_usd_per_mtok: i64,
    cache_read_nano_usd_per_mtok: i64,
    cache_write_nano_usd_per_mtok: i64,
    request_nano_usd: i64,
    /// Prices of other classes that this model has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rates: Vec<Rate>,
}

/// What a million of a class cost.
#[derive(Serialize)]
struct Rate {
    class: &'static str,
    nano_usd_per_million: i64,
}

/// Where in the log the charge stands.
#[derive(Serialize)]
struct Settlement {
    /// The node's batch of usage that reports it; `None` where nothing was charged.
    batch: Option<u64>,
    /// Index of the entry that carried the batch; `None` while it is on its way, and for good where the
    /// node died before it heard of it.
    log_index: Option<u64>,
}

/// The receipt of a request that the node with this label served, and whose last batch stands at
/// `log_index`, where that is known.
pub(super) fn render(record: &Record, label: &str, log_index: Option<u64>) -> Vec<u8> {
    let Some(last) = record.charged.last() else {
        return Vec::new();
    };
    let facts = &*last.facts;
    let paper = Paper {
        object: "receipt",
        id: record.receipt,
        request_id: record.request_id.to_str().unwrap_or(""),
        at: Timestamp(record.at.0),
        node: Id(record.receipt.node()),
        node_label: some(label),
        key: Key { id: &facts.key_id, name: (&*facts.key_name).into() },
        customer: some(&facts.lineage.customer),
        team: some(&facts.lineage.team),
        user: some(&facts.lineage.user),
        tags: &facts.tags,
        session: facts.session.as_deref(),
        operation: record.operation.name(),
        stream: record.stream,
        status: record.status,
        ending: record.ending.name(),
        duration_ms: record.duration_us / 1_000,
        accounts: Accounts(&facts.accounts),
        attempts: Attempts { charged: &record.charged, last },
        cost_usd: Usd(record.cost_nano_usd),
        cost_nano_usd: record.cost_nano_usd,
        settlement: Settlement { batch: batch(record), log_index },
    };
    let mut text = Vec::with_capacity(BYTES);
    serde_json::to_writer(&mut text, &paper).expect("texts and numbers into memory");
    text
}

/// The last batch of usage that reports a part of a request.
pub(super) fn batch(record: &Record) -> Option<u64> {
    record.charged.iter().filter_map(|charged| charged.batch).max()
}

/// Whether a receipt is one of this key.
pub(super) fn is_of(receipt: &[u8], key_id: &str) -> bool {
    #[derive(Deserialize)]
    struct Owned<'a> {
        #[serde(borrow)]
        key: Key<'a>,
    }
    serde_json::from_slice::<Owned<'_>>(receipt).is_ok_and(|owned| owned.key.id == key_id)
}

/// Accounts as a list of [`Account`]s.
struct Accounts<'a>(&'a [AccountTerms]);

impl Serialize for Accounts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(account))
    }
}

/// Attempts as a list of [`Attempt`]s.
struct Attempts<'a> {
    charged: &'a [Charged],
    last: &'a Charged,
}

impl Serialize for Attempts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let attempts = self.charged.iter().map(|charged| attempt(charged, self.last));
        serializer.collect_seq(attempts)
    }
}

fn shown<S: Serializer>(account: &AccountId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(account)
}

fn some(name: &str) -> Option<&str> {
    (!name.is_empty()).then_some(name)
}

fn account(terms: &AccountTerms) -> Account<'_> {
    Account {
        account: terms.account,
        budget: &terms.budget,
        subject: some(&terms.subject),
        window: window(terms.window),
        unit: unit(terms.unit),
        period: terms.period,
    }
}

fn attempt<'a>(charged: &'a Charged, last: &Charged) -> Attempt<'a> {
    let facts = &*charged.facts;
    let Charge { nano_usd, tokens, requests } = charged.held;
    let others = facts.accounts != last.facts.accounts;
    Attempt {
        provider: &facts.provider,
        model: &facts.model,
        outcome: charged.outcome,
        basis: charged.basis,
        hold: Amounts { usd: Usd(nano_usd), tokens, requests },
        usage: used(&charged.usage),
        price: applied(&facts.prices, &charged.usage),
        cost_usd: Usd(charged.charge.nano_usd),
        accounts: others.then_some(Accounts(&facts.accounts)),
    }
}

fn used(usage: &Usage) -> Tokens {
    Tokens {
        input_tokens: usage.input_tokens,
        cache_read_tokens: usage.cache_read_tokens,
        cache_write_tokens: usage.cache_write_tokens,
        output_tokens: usage.output_tokens,
        reasoning_tokens: usage.reasoning_tokens,
        others: Others {
            cache_write_1h_tokens: usage.cache_write_1h_tokens,
            audio_input_tokens: usage.audio_input_tokens,
            audio_cache_read_tokens: usage.audio_cache_read_tokens,
            image_input_tokens: usage.image_input_tokens,
            audio_output_tokens: usage.audio_output_tokens,
            image_output_tokens: usage.image_output_tokens,
            images: usage.images,
            input_ms: usage.input_ms,
            output_ms: usage.output_ms,
            characters: usage.characters,
            pages: usage.pages,
            search_units: usage.search_units,
            web_searches: usage.web_searches,
        },
    }
}

fn applied<'a>(prices: &'a Prices, usage: &Usage) -> Option<Applied<'a>> {
    let list = prices.tariff.as_ref()?.applied(usage);
    let rate = |class| list.rate(class);
    Some(Applied {
        version: prices.version.as_deref()?,
        service: Service::ALL[list.service as usize].1,
        above_input_tokens: list.above_input_tokens,
        input_nano_usd_per_mtok: rate(Class::Input),
        output_nano_usd_per_mtok: rate(Class::Output),
        cache_read_nano_usd_per_mtok: rate(Class::CacheRead),
        cache_write_nano_usd_per_mtok: rate(Class::CacheWrite),
        request_nano_usd: rate(Class::Request) / MILLION,
        rates: list
            .others()
            .map(|(class, nano_usd_per_million)| Rate { class, nano_usd_per_million })
            .collect(),
    })
}
