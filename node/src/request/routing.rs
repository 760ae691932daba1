//! Where could it go? Pure: names and weights in, an ordered list out.

use api::refusal::Reason;
use ledger::view::{self, Resolution};
use ledger::{Ledger, Provider, VirtualKey, valid};
use wire::Refusal;

/// A place a call could go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// The provider.
    pub(crate) provider: &'a Provider,
    /// The model's name there.
    pub(crate) model: &'a str,
    /// Share among the places; zero: a fallback, in order, after the weighted ones.
    pub(crate) weight: u32,
}

/// Longest name of a model with its provider's, in bytes. A provider without a list takes any name, and
/// names are kept.
const NAME_BYTES_MAX: usize = valid::NAME_BYTES_MAX + 1 + valid::MODEL_BYTES_MAX;
/// Characters of a longer one that are said back.
const NAME_CHARS_SAID: usize = 200;

/// Whether the catalog lists a model for a provider that lists none itself.
pub(crate) type Lists<'a> = &'a dyn Fn(&Provider, &str) -> bool;

/// Every place a model name stands for that this key may use.
///
/// # Errors
///
/// A name nobody serves, or only those that the key may not use.
pub(crate) fn places<'a>(
    ledger: &'a Ledger,
    key: &VirtualKey,
    asked: &'a str,
    lists: Lists<'_>,
) -> Result<Vec<Place<'a>>, Refusal> {
    let named = asked.len() <= NAME_BYTES_MAX;
    let served = if named { served(ledger, asked, lists) } else { Vec::new() };
    if served.is_empty() {
        let name: String = asked.chars().take(NAME_CHARS_SAID).collect();
        let mut refusal =
            Reason::ModelUnknown.refuse(format!("the model {name} does not exist here"));
        refusal.param = Some("model".into());
        return Err(refusal);
    }
    let by_provider: Vec<_> = served
        .into_iter()
        .filter(|place| view::provider_allowed(key, &place.provider.name))
        .collect();
    if by_provider.is_empty() {
        return Err(Reason::ProviderBlocked
            .refuse(format!("virtual key {} may not use a provider that serves {asked}", key.id)));
    }
    let allowed: Vec<_> = by_provider
        .into_iter()
        .filter(|place| view::model_allowed(key, &place.provider.name, place.model, asked))
        .collect();
    if allowed.is_empty() {
        return Err(Reason::ModelBlocked
            .refuse(format!("virtual key {} may not use the model {asked}", key.id)));
    }
    Ok(allowed)
}

fn served<'a>(ledger: &'a Ledger, asked: &'a str, lists: Lists<'_>) -> Vec<Place<'a>> {
    let place = |provider, model, weight| Place { provider, model, weight };
    let mut places = match view::resolve_model(ledger, asked) {
        Resolution::Alias(alias) => alias
            .targets
            .iter()
            .filter_map(|target| {
                let provider = ledger.providers.get(&target.provider)?;
                Some(place(provider, target.model.as_str(), target.weight))
            })
            .collect(),
        Resolution::Qualified(provider, model) => vec![place(provider, model, 1)],
        Resolution::Bare(providers, model) => {
            providers.into_iter().map(|provider| place(provider, model, 1)).collect()
        }
        Resolution::Unknown => unlisted(ledger, asked, lists),
    };
    places.retain(|place| place.provider.enabled && serves(place.provider, place.model));
    places
}

/// A provider that lists models serves those; one that lists none may serve any.
fn serves(provider: &Provider, model: &str) -> bool {
    provider.models.is_empty() || provider.models.iter().any(|known| known.name == model)
}

/// Providers without a list: those for whose kind the catalog knows the model, else all of them.
fn unlisted<'a>(ledger: &'a Ledger, asked: &'a str, lists: Lists<'_>) -> Vec<Place<'a>> {
    let open: Vec<&Provider> = ledger
        .providers
        .values()
        .filter(|provider| provider.models.is_empty() && provider.enabled)
        .collect();
    let known: Vec<&Provider> =
        open.iter().copied().filter(|provider| lists(provider, asked)).collect();
    let chosen = if known.is_empty() { open } else { known };
    chosen.into_iter().map(|provider| Place { provider, model: asked, weight: 1 }).collect()
}

/// Most places that are put in order; what is beyond is not tried.
const PLACES_MAX: usize = 32;

/// An order of places, by their index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    places: [u8; PLACES_MAX],
    count: usize,
}

impl Order {
    /// The places, first one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        self.places[..self.count].iter().map(|place| usize::from(*place))
    }
}

/// The order in which to try places of these weights: one drawn by weight, then the other weighted
/// ones from the heaviest, then those of weight zero in their own order.
///
/// `draw` is any number; equally distributed ones give each place its share.
pub(crate) fn order(weights: &[u32], draw: u64) -> Order {
    let count = weights.len().min(PLACES_MAX);
    let mut order = Order {
        places: std::array::from_fn(|at| u8::try_from(at).expect("32 places at most")),
        count,
    };
    if count > 1 {
        let first = drawn(&weights[..count], draw);
        order.places[..count].sort_by_key(|at| {
            let at = usize::from(*at);
            (Some(at) != first, std::cmp::Reverse(weights[at]))
        });
    }
    order
}

/// The place a draw falls on; none where all weights are zero.
fn drawn(weights: &[u32], draw: u64) -> Option<usize> {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let mut left = draw.checked_rem(total)?;
    weights.iter().position(|weight| {
        let weight = u64::from(*weight);
        let here = left < weight;
        left = left.saturating_sub(weight);
        here
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::command::{PutAlias, PutProvider};
    use ledger::{
        Alias, Allow, Command, Credential, Entry, Model, Outcome, StreamUsage, Target, UnixMillis,
        Unpriced,
    };

    fn provider(name: &str, models: &[&str]) -> Provider {
        let model = |name: &&str| Model { name: (*name).to_owned(), ..Model::default() };
        Provider {
            name: name.to_owned(),
            kind: "openai-compatible".to_owned(),
            base_url: "http://127.0.0.1:1/v1".to_owned(),
            credentials: vec![Credential { name: "main".to_owned(), weight: 1, secret: None }],
            overrides: ledger::Overrides::default(),
            models: models.iter().map(model).collect(),
            unpriced: Unpriced::Deny,
            stream_usage: StreamUsage::Ask,
            timeout_ms: 1_000,
            attempts_max: 1,
            allow_private_network: false,
            enabled: name != "off",
            managed_by: "api:test".to_owned(),
            changed_index: 0,
        }
    }

    fn ledger() -> Ledger {
        let targets = [("a", "m", 1), ("b", "m", 0), ("off", "m", 0)];
        let target = |(provider, model, weight): &(&str, &str, u32)| Target {
            provider: (*provider).to_owned(),
            model: (*model).to_owned(),
            weight: *weight,
        };
        let alias = Alias {
            name: "fast".to_owned(),
            targets: targets.iter().map(target).collect(),
            managed_by: "api:test".to_owned(),
            changed_index: 0,
        };
        let put = |provider| Command::PutProvider(PutProvider { provider, if_index: None });
        let commands = [
            put(provider("a", &["m", "deep/m"])),
            put(provider("b", &["m"])),
            put(provider("off", &["m", "x"])),
            put(provider("any", &[])),
            put(provider("every", &[])),
            Command::PutAlias(PutAlias { alias, if_index: None }),
        ];
        let mut ledger = Ledger::default();
        for (index, command) in (1..).zip(commands) {
            let entry = Entry { index, at: UnixMillis(1), command };
            let (outcome, _) = ledger::apply(&mut ledger, &entry);
            assert_eq!(outcome, Outcome::Done);
        }
        ledger
    }

    fn key(providers: &[&str], models: &[&str]) -> VirtualKey {
        let only = |names: &[&str]| match names {
            [] => Allow::All,
            names => Allow::Only(names.iter().map(|name| (*name).to_owned()).collect()),
        };
        VirtualKey {
            id: "k".to_owned(),
            name: "k".to_owned(),
            enabled: true,
            providers: only(providers),
            models: only(models),
            ..VirtualKey::default()
        }
    }

    #[test]
    fn a_name_leads_to_the_places_the_key_may_use() {
        let ledger = ledger();
        let lists = |provider: &Provider, model: &str| provider.name == "any" && model == "known";
        /// Providers and models allowed, the name asked for, and the places or the code.
        type Case = (
            &'static [&'static str],
            &'static [&'static str],
            &'static str,
            Result<&'static [&'static str], &'static str>,
        );
        let cases: [Case; 15] = [
            (&[], &[], "a/m", Ok(&["a/m"])),
            (&[], &[], "a/deep/m", Ok(&["a/deep/m"])),
            (&[], &[], "m", Ok(&["a/m", "b/m"])),
            (&[], &[], "fast", Ok(&["a/m", "b/m"])),
            (&[], &[], "off/x", Err("model_not_found")),
            (&[], &[], "a/none", Err("model_not_found")),
            (&[], &[], "any/whatever", Ok(&["any/whatever"])),
            (&[], &[], "known", Ok(&["any/known"])),
            (&[], &[], "unheard/of", Ok(&["any/unheard/of", "every/unheard/of"])),
            (&["b"], &[], "fast", Ok(&["b/m"])),
            (&["every"], &[], "a/m", Err("provider_blocked")),
            (&[], &["fast"], "fast", Ok(&["a/m", "b/m"])),
            (&[], &["fast"], "a/m", Err("model_blocked")),
            (&[], &["b/m"], "m", Ok(&["b/m"])),
            (&[], &["m"], "a/m", Ok(&["a/m"])),
        ];
        for (providers, models, asked, expected) in cases {
            let key = key(providers, models);
            let found = places(&ledger, &key, asked, &lists)
                .map(|places| {
                    let name =
                        |place: &Place<'_>| format!("{}/{}", place.provider.name, place.model);
                    places.iter().map(name).collect::<Vec<_>>()
                })
                .map_err(|refusal| refusal.code);
            let expected = expected.map(|names| names.iter().map(ToString::to_string).collect());
            assert_eq!(found, expected, "{providers:?} {models:?} {asked}");
        }
    }

    #[test]
    fn a_name_without_end_is_nobodys_and_not_said_back_whole() {
        let ledger = ledger();
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        let key = key(&[], &[]);
        assert_eq!(places(&ledger, &key, &long[1..], &|_, _| false).unwrap().len(), 2);
        let refusal = places(&ledger, &key, &long, &|_, _| false).unwrap_err();
        assert_eq!(refusal.code, "model_not_found");
        assert!(refusal.say.len() < NAME_BYTES_MAX, "{}", refusal.say);
    }

    #[test]
    fn the_draw_decides_who_is_first_and_zeros_come_last_in_order() {
        let cases: [(&[u32], u64, &[usize]); 8] = [
            (&[1], 7, &[0]),
            (&[1, 3], 0, &[0, 1]),
            (&[1, 3], 1, &[1, 0]),
            (&[1, 3], 3, &[1, 0]),
            (&[1, 3], 4, &[0, 1]),
            (&[0, 0, 2], 5, &[2, 0, 1]),
            (&[0, 0], 5, &[0, 1]),
            (&[1, 2, 5], 0, &[0, 2, 1]),
        ];
        for (weights, draw, expected) in cases {
            let found: Vec<usize> = order(weights, draw).iter().collect();
            assert_eq!(found, expected, "{weights:?} {draw}");
        }
    }

    #[test]
    fn each_place_gets_its_share_of_all_draws() {
        let weights = [1, 2, 0, 7];
        let mut firsts = [0; 4];
        for draw in 0..1_000 {
            let first = order(&weights, draw).iter().next().unwrap();
            firsts[first] += 1;
        }
        assert_eq!(firsts, [100, 200, 0, 700]);
    }
}
