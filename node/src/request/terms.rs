//! On which terms? What one thread knows of keys and providers, made ready for one state of the
//! configuration and thrown away with it.

use super::routing::{self, Place};
use super::upstream::Upstream;
use super::way::Ways;
use crate::metrics::slots::{RouteSlot, ThreadSlots};
use crate::plane::Shared;
use crate::vault::Pepper;
use cost::{ModelTerms, Prices, Tariff};
use http::HeaderValue;
use ledger::view;
use ledger::{KeyHash, Ledger, Provider, Unpriced, VirtualKey};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use wire::splice::ModelName;
use wire::{Operation, Refusal};

/// Most keys a thread keeps terms for; beyond it starts anew.
const KEYS_MAX: usize = 65_536;
/// Most model names kept per key.
const NAMES_MAX: usize = 512;

/// Everything prepared for one state of the configuration.
pub(crate) struct Book {
    pub(crate) config_index: u64,
    pub(crate) pepper: Option<Pepper>,
    upstreams: HashMap<String, Rc<Upstream>>,
    terms: HashMap<KeyHash, Rc<Terms>>,
}

impl Book {
    /// An empty book that fits no configuration.
    pub(crate) fn empty() -> Self {
        Self {
            config_index: u64::MAX,
            pepper: None,
            upstreams: HashMap::new(),
            terms: HashMap::new(),
        }
    }

    /// Makes the book fit the ledger. Providers that did not change keep their connections.
    pub(crate) fn renew(&mut self, ledger: &Ledger, shared: &Shared) {
        if self.config_index == ledger.config_index && self.pepper.is_some() {
            return;
        }
        self.terms.clear();
        self.pepper = match shared.vault.pepper(ledger.key_pepper.as_ref()) {
            Ok(pepper) => Some(pepper),
            Err(error) => {
                tracing::error!(%error, "no virtual key can be checked");
                None
            }
        };
        let mut old = std::mem::take(&mut self.upstreams);
        for provider in ledger.providers.values().filter(|provider| provider.enabled) {
            let kept = old
                .remove(&provider.name)
                .filter(|known| known.changed_index == provider.changed_index);
            let upstream = match kept {
                Some(upstream) => Ok(upstream),
                None => Upstream::prepare(provider, shared).map(Rc::new),
            };
            match upstream {
                Ok(upstream) => {
                    self.upstreams.insert(provider.name.clone(), upstream);
                }
                Err(error) => {
                    tracing::error!(provider = provider.name, %error, "provider cannot be used");
                }
            }
        }
        shared.doors.keep(|name| ledger.providers.contains_key(name));
        shared.sources.keep(|provider, credential| {
            let provider = ledger.providers.get(provider).filter(|provider| provider.enabled);
            provider.is_some_and(|known| known.credentials.iter().any(|its| its.name == credential))
        });
        self.config_index = ledger.config_index;
    }

    /// Forgets all terms of keys, and with them where their requests go and who pays.
    pub(crate) fn forget_terms(&mut self) {
        self.terms.clear();
    }

    /// The terms of a key, prepared where they are not yet.
    pub(crate) fn terms(&mut self, ledger: &Ledger, hash: &KeyHash) -> Option<Rc<Terms>> {
        if let Some(terms) = self.terms.get(hash) {
            return Some(Rc::clone(terms));
        }
        let key = view::key_by_hash(ledger, hash)?;
        let terms = Rc::new(Terms::prepare(key));
        if self.terms.len() >= KEYS_MAX {
            self.terms.clear();
        }
        self.terms.insert(*hash, Rc::clone(&terms));
        Some(terms)
    }

    /// Where a model name may go for a key, prepared where it is not yet.
    ///
    /// # Errors
    ///
    /// A name nobody serves, or only those that the key may not use.
    pub(crate) fn route(
        &self,
        ledger: &Ledger,
        terms: &Terms,
        asked: &str,
        shared: &Shared,
    ) -> Result<Rc<Route>, Refusal> {
        if let Some(route) = terms.routes.borrow().get(asked) {
            return Ok(Rc::clone(route));
        }
        let lists =
            |provider: &Provider, model: &str| shared.catalog.find(&provider.kind, model).is_some();
        let places = routing::places(ledger, &terms.key, asked, &lists)?;
        let candidates: Vec<Rc<Candidate>> = places
            .iter()
            .filter_map(|place| {
                let upstream = self.upstreams.get(&place.provider.name)?;
                Some(Rc::new(Candidate::prepare(place, upstream, asked, shared)))
            })
            .collect();
        let route = Rc::new(Route {
            weights: candidates.iter().map(|candidate| candidate.weight).collect(),
            candidates,
        });
        let mut routes = terms.routes.borrow_mut();
        if routes.len() >= NAMES_MAX {
            routes.clear();
        }
        routes.insert(asked.to_owned(), Rc::clone(&route));
        Ok(route)
    }
}

impl Book {
    /// A provider as the place of what it keeps; `None` where it cannot be used.
    pub(crate) fn shelf(
        &self,
        terms: &Terms,
        provider: &str,
        operation: Operation,
    ) -> Option<Rc<Candidate>> {
        let name = (provider.to_owned(), operation);
        if let Some(known) = terms.shelves.borrow().get(&name) {
            return Some(Rc::clone(known));
        }
        let candidate = Rc::new(Candidate::of_shelf(self.upstreams.get(provider)?, operation));
        terms.shelves.borrow_mut().insert(name, Rc::clone(&candidate));
        Some(candidate)
    }
}

/// A key's terms. What its requests are charged to depends on where they go: see [`Candidate::ways`].
pub(crate) struct Terms {
    pub(crate) key: VirtualKey,
    pub(crate) key_id: Arc<str>,
    pub(crate) key_name: Arc<str>,
    routes: RefCell<HashMap<String, Rc<Route>>>,
    /// Where it may be sent for what providers keep.
    shelves: RefCell<HashMap<(String, Operation), Rc<Candidate>>>,
}

impl Terms {
    fn prepare(key: &VirtualKey) -> Self {
        Self {
            key: key.clone(),
            key_id: Arc::from(key.id.as_str()),
            key_name: Arc::from(key.name.as_str()),
            routes: RefCell::new(HashMap::new()),
            shelves: RefCell::new(HashMap::new()),
        }
    }
}

/// Where a model name may go.
pub(crate) struct Route {
    pub(crate) candidates: Vec<Rc<Candidate>>,
    pub(crate) weights: Vec<u32>,
}

/// One place a call may go, made ready.
pub(crate) struct Candidate {
    pub(crate) upstream: Rc<Upstream>,
    /// The provider's name of the model, to be spliced.
    pub(crate) model: ModelName,
    /// The model's name here, for logs and metrics.
    pub(crate) label: Arc<str>,
    /// The model's name here, as a response header.
    pub(crate) said: HeaderValue,
    /// The name that led here: an alias, or a model with or without its provider. As a response header.
    pub(crate) route: HeaderValue,
    pub(crate) terms: ModelTerms,
    /// The same prices, for receipts.
    pub(crate) prices: Arc<Prices>,
    /// What the key's requests to it are charged to and limited by.
    pub(crate) ways: Ways,
    /// No price is known and the provider's policy is to refuse that.
    pub(crate) unpriced: bool,
    weight: u32,
    slots: [OnceCell<Arc<RouteSlot>>; Operation::ALL.len()],
}

impl Candidate {
    fn prepare(place: &Place<'_>, upstream: &Rc<Upstream>, asked: &str, shared: &Shared) -> Self {
        let provider = place.provider;
        let known = provider.models.iter().find(|model| model.name == place.model);
        let upstream_name =
            known.and_then(|model| model.upstream_name.as_deref()).unwrap_or(place.model);
        let find = |name: &str| shared.catalog.find(&provider.kind, name);
        // What only an account knows, a deployment or a profile of its own, costs what its name here does.
        let listed =
            find(upstream_name).or_else(|| find(place.model).filter(|_| names_its_own(provider)));
        let said = || Prices::of_log(provider.changed_index);
        let tariff = known.and_then(|model| model.price.as_ref()).map(Tariff::from);
        let tariff = tariff.map(|tariff| (tariff, said())).or_else(|| {
            let tariff = Tariff::from(listed?.price.as_ref()?);
            Some((tariff, Prices::of_catalog(shared.catalog.made_on())))
        });
        let (tariff, unpriced) = match (tariff, &provider.unpriced) {
            (Some(tariff), _) => (Some(tariff), false),
            (None, Unpriced::Deny) => (None, true),
            (None, Unpriced::Flat(price)) => (Some((Tariff::from(price), said())), false),
            (None, Unpriced::Track) => (None, false),
        };
        let (tariff, version) = tariff.unzip();
        let prices = Prices { tariff: tariff.clone(), version };
        let terms = ModelTerms {
            hidden_tokens: wire::bound::hidden_prompt_tokens(upstream_name),
            upstream_name: upstream_name.to_owned(),
            tariff,
            input_tokens_max: known
                .and_then(|model| model.input_tokens_max)
                .or_else(|| listed?.input_tokens_max),
            output_tokens_max: known
                .and_then(|model| model.output_tokens_max)
                .or_else(|| listed?.output_tokens_max),
            thinks: listed.is_some_and(|entry| entry.supports.contains(&"reasoning")),
        };
        Self {
            upstream: Rc::clone(upstream),
            model: ModelName::new(upstream_name),
            label: Arc::from(place.model),
            said: header(place.model),
            route: header(asked),
            terms,
            prices: Arc::new(prices),
            ways: Ways::default(),
            unpriced,
            weight: place.weight,
            slots: Default::default(),
        }
    }

    /// What a provider keeps, under the name of the operation: nothing of it has a price.
    fn of_shelf(upstream: &Rc<Upstream>, operation: Operation) -> Self {
        let name = operation.name();
        Self {
            upstream: Rc::clone(upstream),
            model: ModelName::new(name),
            label: Arc::from(name),
            said: HeaderValue::from_static(name),
            route: HeaderValue::from_static(name),
            terms: ModelTerms::default(),
            prices: Arc::default(),
            ways: Ways::default(),
            unpriced: false,
            weight: 1,
            slots: Default::default(),
        }
    }

    /// The slot its calls are counted in.
    pub(crate) fn slot(&self, operation: Operation, thread: &ThreadSlots) -> &Arc<RouteSlot> {
        self.slots[operation as usize]
            .get_or_init(|| thread.route(operation, &self.upstream.name, &self.label))
    }
}

/// Whether a provider's models are named by each account as it likes.
fn names_its_own(provider: &Provider) -> bool {
    matches!(provider.kind.as_str(), "azure" | "bedrock")
}

/// A name as a header value.
pub(crate) fn header(name: &str) -> HeaderValue {
    HeaderValue::from_str(name).unwrap_or_else(|_| HeaderValue::from_static("?"))
}
