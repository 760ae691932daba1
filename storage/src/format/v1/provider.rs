//! Mirrors of the ledger's providers and aliases. Inside bodies only: none is a frame of its own.

use super::SealedV1;
use super::ledger::unknown;
use crate::format::{FormatError, Kind};
use ledger::{Alias, Credential, Model, Price, Provider, Sealed, StreamUsage, Target, Unpriced};
use serde::{Deserialize, Serialize};

/// [`ledger::Price`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the type it mirrors")]
pub struct PriceV1 {
    pub input_nano_usd_per_mtok: i64,
    pub output_nano_usd_per_mtok: i64,
    pub cache_read_nano_usd_per_mtok: Option<i64>,
    pub cache_write_nano_usd_per_mtok: Option<i64>,
    pub request_nano_usd: i64,
}

/// [`ledger::Model`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the type it mirrors")]
pub struct ModelV1 {
    pub name: String,
    pub upstream_name: Option<String>,
    pub price: Option<PriceV1>,
    pub output_tokens_max: Option<u64>,
    pub input_tokens_max: Option<u64>,
}

/// [`ledger::Credential`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the type it mirrors")]
pub struct CredentialV1 {
    pub name: String,
    pub weight: u32,
    pub secret: Option<SealedV1>,
}

/// [`ledger::Provider`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderV1 {
    /// Name.
    pub name: String,
    /// Wire provider.
    pub kind: String,
    /// Base URL.
    pub base_url: String,
    /// Credentials.
    pub credentials: Vec<CredentialV1>,
    /// Models.
    pub models: Vec<ModelV1>,
    /// 0 deny, 1 flat (`flat_price`), 2 track.
    pub unpriced: u16,
    /// With 1 above.
    pub flat_price: Option<PriceV1>,
    /// 0 ask, 1 always, 2 never.
    pub stream_usage: u16,
    /// Longest wait.
    pub timeout_ms: u64,
    /// Attempts.
    pub attempts_max: u32,
    /// May resolve to private addresses.
    pub allow_private_network: bool,
    /// Enabled.
    pub enabled: bool,
    /// Owner.
    pub managed_by: String,
    /// Last change.
    pub changed_index: u64,
}

/// [`ledger::Target`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the type it mirrors")]
pub struct TargetV1 {
    pub provider: String,
    pub model: String,
    pub weight: u32,
}

/// [`ledger::Alias`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are those of the type it mirrors")]
pub struct AliasV1 {
    pub name: String,
    pub targets: Vec<TargetV1>,
    pub managed_by: String,
    pub changed_index: u64,
}

impl From<&Price> for PriceV1 {
    fn from(price: &Price) -> Self {
        PriceV1 {
            input_nano_usd_per_mtok: price.input_nano_usd_per_mtok,
            output_nano_usd_per_mtok: price.output_nano_usd_per_mtok,
            cache_read_nano_usd_per_mtok: price.cache_read_nano_usd_per_mtok,
            cache_write_nano_usd_per_mtok: price.cache_write_nano_usd_per_mtok,
            request_nano_usd: price.request_nano_usd,
        }
    }
}

impl From<PriceV1> for Price {
    fn from(wire: PriceV1) -> Self {
        Price {
            input_nano_usd_per_mtok: wire.input_nano_usd_per_mtok,
            output_nano_usd_per_mtok: wire.output_nano_usd_per_mtok,
            cache_read_nano_usd_per_mtok: wire.cache_read_nano_usd_per_mtok,
            cache_write_nano_usd_per_mtok: wire.cache_write_nano_usd_per_mtok,
            request_nano_usd: wire.request_nano_usd,
        }
    }
}

impl From<&Model> for ModelV1 {
    fn from(model: &Model) -> Self {
        ModelV1 {
            name: model.name.clone(),
            upstream_name: model.upstream_name.clone(),
            price: model.price.as_ref().map(PriceV1::from),
            output_tokens_max: model.output_tokens_max,
            input_tokens_max: model.input_tokens_max,
        }
    }
}

impl From<ModelV1> for Model {
    fn from(wire: ModelV1) -> Self {
        Model {
            name: wire.name,
            upstream_name: wire.upstream_name,
            price: wire.price.map(Price::from),
            output_tokens_max: wire.output_tokens_max,
            input_tokens_max: wire.input_tokens_max,
        }
    }
}

impl From<&Credential> for CredentialV1 {
    fn from(credential: &Credential) -> Self {
        CredentialV1 {
            name: credential.name.clone(),
            weight: credential.weight,
            secret: credential.secret.as_ref().map(SealedV1::from),
        }
    }
}

impl From<CredentialV1> for Credential {
    fn from(wire: CredentialV1) -> Self {
        Credential { name: wire.name, weight: wire.weight, secret: wire.secret.map(Sealed::from) }
    }
}

impl From<&Provider> for ProviderV1 {
    fn from(provider: &Provider) -> Self {
        let (unpriced, flat_price) = match &provider.unpriced {
            Unpriced::Deny => (0, None),
            Unpriced::Flat(price) => (1, Some(price.into())),
            Unpriced::Track => (2, None),
        };
        ProviderV1 {
            name: provider.name.clone(),
            kind: provider.kind.clone(),
            base_url: provider.base_url.clone(),
            credentials: provider.credentials.iter().map(CredentialV1::from).collect(),
            models: provider.models.iter().map(ModelV1::from).collect(),
            unpriced,
            flat_price,
            stream_usage: match provider.stream_usage {
                StreamUsage::Ask => 0,
                StreamUsage::Always => 1,
                StreamUsage::Never => 2,
            },
            timeout_ms: provider.timeout_ms,
            attempts_max: provider.attempts_max,
            allow_private_network: provider.allow_private_network,
            enabled: provider.enabled,
            managed_by: provider.managed_by.clone(),
            changed_index: provider.changed_index,
        }
    }
}

impl TryFrom<ProviderV1> for Provider {
    type Error = FormatError;

    fn try_from(wire: ProviderV1) -> Result<Self, FormatError> {
        let unpriced = match (wire.unpriced, wire.flat_price) {
            (0, _) => Unpriced::Deny,
            (1, Some(price)) => Unpriced::Flat(price.into()),
            (1, None) => {
                return Err(FormatError::Malformed {
                    kind: Kind::PUT_PROVIDER,
                    reason: "flat price is absent".to_owned(),
                });
            }
            (2, _) => Unpriced::Track,
            (code, _) => return unknown("unpriced policy", code),
        };
        let stream_usage = match wire.stream_usage {
            0 => StreamUsage::Ask,
            1 => StreamUsage::Always,
            2 => StreamUsage::Never,
            code => return unknown("stream usage", code),
        };
        Ok(Provider {
            name: wire.name,
            kind: wire.kind,
            base_url: wire.base_url,
            credentials: wire.credentials.into_iter().map(Credential::from).collect(),
            models: wire.models.into_iter().map(Model::from).collect(),
            unpriced,
            stream_usage,
            timeout_ms: wire.timeout_ms,
            attempts_max: wire.attempts_max,
            allow_private_network: wire.allow_private_network,
            enabled: wire.enabled,
            managed_by: wire.managed_by,
            changed_index: wire.changed_index,
        })
    }
}

impl From<&Alias> for AliasV1 {
    fn from(alias: &Alias) -> Self {
        let target = |target: &Target| TargetV1 {
            provider: target.provider.clone(),
            model: target.model.clone(),
            weight: target.weight,
        };
        AliasV1 {
            name: alias.name.clone(),
            targets: alias.targets.iter().map(target).collect(),
            managed_by: alias.managed_by.clone(),
            changed_index: alias.changed_index,
        }
    }
}

impl From<AliasV1> for Alias {
    fn from(wire: AliasV1) -> Self {
        let target = |target: TargetV1| Target {
            provider: target.provider,
            model: target.model,
            weight: target.weight,
        };
        Alias {
            name: wire.name,
            targets: wire.targets.into_iter().map(target).collect(),
            managed_by: wire.managed_by,
            changed_index: wire.changed_index,
        }
    }
}
