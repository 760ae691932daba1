//! Providers, whose secrets go in and never come out.

use super::Node;
use super::prices::{price_in, price_out};
use super::resource::{Farewell, Kept, Wish};
use crate::credential::{Family, Kind, MACHINE};
use crate::request::place;
use crate::vault::{Secret, credential_purpose};
use api::admin::v1::providers::{self, CredentialSettings, ProviderSettings, Providers};
use api::admin::{Answer, Problem, suggest};
use ledger::command::{Command, DeleteProvider, PutProvider};
use ledger::{Credential, Ledger, Model, Overrides, Provider, Sealed, StreamUsage, Unpriced};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use wire::provider::Auth;

impl Kept for Providers {
    type Stored = Provider;

    fn all(ledger: &Ledger) -> impl Iterator<Item = &Provider> {
        ledger.providers.values()
    }

    fn stored<'l>(ledger: &'l Ledger, name: &str) -> Option<&'l Provider> {
        ledger.providers.get(name)
    }

    fn name_of(provider: &Provider) -> &str {
        &provider.name
    }

    fn shown(_: &Ledger, provider: &Provider) -> providers::Provider {
        shown(provider)
    }

    fn put(node: &Node, wish: Wish<Self>) -> Answer<Command> {
        let settings = wish.settings;
        let kind = kind_of(&settings.kind)?;
        let settings = with_base_url(settings, kind)?;
        check(&settings, kind)?;
        let ledger = node.ledger();
        let present = ledger.providers.get(&wish.name);
        for (nth, credential) in settings.credentials.iter().enumerate() {
            credential.secret.iter().try_for_each(|secret| issuable(kind, nth, &secret.0))?;
        }
        let credentials = node.credentials((&wish.name, kind), &settings.credentials, present)?;
        let keeps = settings.credentials.iter().any(|credential| credential.secret.is_none());
        // A secret that is kept must still be the one: another write may change it at this moment.
        let kept = present.filter(|_| keeps).map(|present| present.changed_index);
        let provider = from_settings(&wish.name, settings, credentials, wish.managed_by);
        Ok(Command::PutProvider(PutProvider { provider, if_index: wish.if_index.or(kept) }))
    }

    fn delete(farewell: Farewell) -> Command {
        let Farewell { name, managed_by, if_index } = farewell;
        Command::DeleteProvider(DeleteProvider { name, managed_by, if_index })
    }
}

impl Node {
    fn credentials(
        &self,
        (provider, kind): (&str, &wire::provider::Provider),
        settings: &[CredentialSettings],
        present: Option<&Provider>,
    ) -> Answer<Vec<Credential>> {
        if settings.is_empty() {
            let name = "default".to_owned();
            let machine = matches!(kind.auth, Auth::Aws { .. } | Auth::Google).then(|| {
                let present = present.and_then(|present| present.credentials.first());
                let present = present.and_then(|credential| credential.secret.as_ref());
                self.seal(&credential_purpose(provider, &name), MACHINE, present)
            });
            return Ok(vec![Credential { name, weight: 1, secret: machine }]);
        }
        let mut credentials = Vec::new();
        for (nth, setting) in settings.iter().enumerate() {
            let present = present.and_then(|present| {
                present.credentials.iter().find(|credential| credential.name == setting.name)
            });
            let secret = match (&setting.secret, present) {
                (Some(secret), _) if secret.0.is_empty() => None,
                (Some(secret), present) => {
                    let present = present.and_then(|credential| credential.secret.as_ref());
                    let purpose = credential_purpose(provider, &setting.name);
                    Some(self.seal(&purpose, &secret.0, present))
                }
                (None, Some(present)) => present.secret.clone(),
                (None, None) => {
                    let say = "is missing, and no credential of this name was set before";
                    return Err(Problem::invalid(format!("credentials[{nth}].secret"), say)
                        .fix("give the provider's API key, or \"\" where it needs none"));
                }
            };
            let (name, weight) = (setting.name.clone(), setting.weight);
            credentials.push(Credential { name, weight, secret });
        }
        Ok(credentials)
    }

    /// Seals a secret; keeps the present sealing of an equal one, so that the same PUT changes nothing.
    pub(super) fn seal(&self, purpose: &str, secret: &str, present: Option<&Sealed>) -> Sealed {
        let vault = &self.parts.vault;
        let same = present
            .filter(|sealed| vault.open(purpose, sealed).is_ok_and(|open| open.expose() == secret));
        match same {
            Some(sealed) => sealed.clone(),
            None => vault.seal(purpose, secret.as_bytes()),
        }
    }
}

/// The kind's own base URL where the operator names none.
fn with_base_url(
    mut settings: ProviderSettings,
    kind: &wire::provider::Provider,
) -> Answer<ProviderSettings> {
    if settings.base_url.is_empty() {
        if kind.base_url.is_empty() {
            let say = format!("is missing, and each account of kind {} has its own", kind.name);
            return Err(Problem::invalid("base_url", say));
        }
        let said = |name: &str| {
            let given = match name {
                "region" => settings.region.clone(),
                "project" => settings.project.clone(),
                "resource" => settings.resource.clone(),
                _ => None,
            };
            given.or_else(|| of_credentials(&settings.credentials, name)).map(Cow::Owned)
        };
        settings.base_url = kind.base_url_of(said).map_err(|unknown| {
            let say = format!("is missing, and so is the {unknown} that it would be made of");
            Problem::invalid("base_url", say)
                .fix(format!("give \"{unknown}\", or write {} with yours", kind.base_url))
        })?;
    }
    Ok(settings)
}

/// Refuses what nobody could be asked with.
fn check(settings: &ProviderSettings, kind: &wire::provider::Provider) -> Answer<()> {
    let base = settings.base_url.split('?').next().unwrap_or_default();
    let deployments = kind.name == "azure" && !base.trim_end_matches('/').ends_with("/v1");
    if deployments && !(base.ends_with("/openai") && settings.base_url.contains("api-version=")) {
        let say = "names neither version 1 nor the version of the API for deployments";
        let fix = "write https://<resource>.openai.azure.com/openai/v1, or \
                   https://<resource>.openai.azure.com/openai?api-version=<version>";
        return Err(Problem::invalid("base_url", say).fix(fix));
    }
    if let Some(dialect) = &settings.dialect {
        if kind.name != "openai-compatible" {
            let say = format!("is for kind openai-compatible alone; {} speaks its own", kind.name);
            return Err(Problem::invalid("dialect", say));
        }
        if wire::provider::speaking(dialect).is_none() {
            let known = wire::dialect::ALL.iter().map(|known| known.name);
            let spoken = |name: &&str| wire::provider::speaking(name).is_some();
            let known: Vec<&str> = known.filter(spoken).collect();
            let say = format!("{dialect:?} is unknown, expected one of {}", known.join(", "));
            return Err(Problem::invalid("dialect", say));
        }
    }
    place::check_paths(&settings.paths).map_err(|why| Problem::invalid("paths", why))
}

/// What credentials say of the account they belong to.
fn of_credentials(credentials: &[CredentialSettings], name: &str) -> Option<String> {
    // Google's own documents name the project so.
    let key = if name == "project" { "project_id" } else { name };
    credentials.iter().find_map(|credential| {
        let said: Value = serde_json::from_str(&credential.secret.as_ref()?.0).ok()?;
        Some(said.get(key)?.as_str()?.to_owned())
    })
}

/// Refuses a setting that nothing can be issued with.
fn issuable(kind: &wire::provider::Provider, nth: usize, secret: &str) -> Answer<()> {
    let Some(family) = Family::of(kind.auth) else { return Ok(()) };
    let secret = Secret::new(secret.to_owned());
    if !Family::issues(&secret) {
        return Ok(());
    }
    let read = Kind::read(family, &secret, Arc::new(|_| None));
    read.map(|_| ()).map_err(|why| Problem::invalid(format!("credentials[{nth}].secret"), why))
}

fn kind_of(kind: &str) -> Answer<&'static wire::provider::Provider> {
    if let Some(known) = wire::provider::named(kind) {
        return Ok(known);
    }
    let known: Vec<&str> = wire::provider::ALL.iter().map(|provider| provider.name).collect();
    let say = match suggest(kind, &known) {
        Some(near) => format!("{kind:?} is unknown, did you mean {near}?"),
        None => format!("{kind:?} is unknown, expected one of {}", known.join(", ")),
    };
    Err(Problem::invalid("kind", say))
}

fn from_settings(
    name: &str,
    settings: ProviderSettings,
    credentials: Vec<Credential>,
    managed_by: String,
) -> Provider {
    Provider {
        name: name.to_owned(),
        kind: settings.kind,
        base_url: settings.base_url.trim_end_matches('/').to_owned(),
        credentials,
        overrides: Overrides {
            dialect: settings.dialect,
            headers: settings.headers,
            paths: settings.paths,
        },
        models: settings.models.into_iter().map(model_in).collect(),
        unpriced: match settings.unpriced {
            providers::Unpriced::Deny => Unpriced::Deny,
            providers::Unpriced::Track => Unpriced::Track,
            providers::Unpriced::Flat(price) => Unpriced::Flat(price_in(price)),
        },
        stream_usage: match settings.stream_usage {
            providers::StreamUsage::Ask => StreamUsage::Ask,
            providers::StreamUsage::Always => StreamUsage::Always,
            providers::StreamUsage::Never => StreamUsage::Never,
        },
        timeout_ms: settings.timeout_ms,
        attempts_max: settings.attempts_max,
        allow_private_network: settings.allow_private_network,
        enabled: settings.enabled,
        managed_by,
        changed_index: 0,
    }
}

fn shown(provider: &Provider) -> providers::Provider {
    let credentials = provider.credentials.iter().map(|credential| providers::Credential {
        name: credential.name.clone(),
        weight: credential.weight,
        set: credential.secret.is_some(),
    });
    providers::Provider {
        name: provider.name.clone(),
        kind: provider.kind.clone(),
        base_url: provider.base_url.clone(),
        dialect: provider.overrides.dialect.clone(),
        headers: provider.overrides.headers.clone(),
        paths: provider.overrides.paths.clone(),
        credentials: credentials.collect(),
        models: provider.models.iter().map(model_out).collect(),
        unpriced: match &provider.unpriced {
            Unpriced::Deny => providers::Unpriced::Deny,
            Unpriced::Track => providers::Unpriced::Track,
            Unpriced::Flat(price) => providers::Unpriced::Flat(price_out(price)),
        },
        stream_usage: match provider.stream_usage {
            StreamUsage::Ask => providers::StreamUsage::Ask,
            StreamUsage::Always => providers::StreamUsage::Always,
            StreamUsage::Never => providers::StreamUsage::Never,
        },
        timeout_ms: provider.timeout_ms,
        attempts_max: provider.attempts_max,
        allow_private_network: provider.allow_private_network,
        enabled: provider.enabled,
        managed_by: provider.managed_by.clone(),
        changed_index: provider.changed_index,
    }
}

fn model_in(model: providers::Model) -> Model {
    Model {
        name: model.name,
        upstream_name: model.upstream_name,
        price: model.price.map(price_in),
        output_tokens_max: model.output_tokens_max,
        input_tokens_max: model.input_tokens_max,
    }
}

fn model_out(model: &Model) -> providers::Model {
    providers::Model {
        name: model.name.clone(),
        upstream_name: model.upstream_name.clone(),
        price: model.price.as_ref().map(price_out),
        input_tokens_max: model.input_tokens_max,
        output_tokens_max: model.output_tokens_max,
    }
}
