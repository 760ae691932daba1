//! Mirrors of the ledger's providers and aliases. Inside bodies only: none is a frame of its own.

use super::{Mirror, SealedV1, codes, mirror};
use crate::format::{FormatError, Kind};
use ledger::{
    Alias, Class, Credential, Model, Overrides, Price, Provider, Quality, Rate, Service,
    StreamUsage, Target, Unpriced,
};
use serde::{Deserialize, Serialize};

codes!(StreamUsage, "stream usage" { 0 => Ask, 1 => Always, 2 => Never });
codes!(Service, "class of service" { 0 => Standard, 1 => Batch, 2 => Flex, 3 => Priority });
codes!(Quality, "quality of pictures" {
    0 => Any, 1 => Low, 2 => Medium, 3 => High, 4 => Standard, 5 => Hd
});
codes!(Class, "class of price" {
    0 => Input, 1 => Output, 2 => CacheRead, 3 => CacheWrite, 4 => CacheWrite1h, 5 => AudioInput,
    6 => AudioCacheRead, 7 => ImageInput, 8 => AudioOutput, 9 => ImageOutput, 10 => Reasoning,
    11 => Request, 12 => Image, 13 => InputSecond, 14 => OutputSecond, 15 => Character, 16 => Page,
    17 => SearchUnit, 18 => WebSearch
});

mirror! {
    /// [`ledger::Price`].
    PriceV1 for Price {
        input_nano_usd_per_mtok: i64,
        output_nano_usd_per_mtok: i64,
        cache_read_nano_usd_per_mtok: Option<i64>,
        cache_write_nano_usd_per_mtok: Option<i64>,
        request_nano_usd: i64,
        rates: Vec<RateV1>,
    }

    /// [`ledger::Rate`].
    RateV1 for Rate {
        class: u16,
        service: u16,
        above_input_tokens: u64,
        width: u32,
        height: u32,
        quality: u16,
        nano_usd_per_million: i64,
    }

    /// [`ledger::Model`].
    ModelV1 for Model {
        name: String,
        upstream_name: Option<String>,
        price: Option<PriceV1>,
        output_tokens_max: Option<u64>,
        input_tokens_max: Option<u64>,
    }

    /// [`ledger::Credential`].
    CredentialV1 for Credential { name: String, weight: u32, secret: Option<SealedV1> }

    /// [`ledger::Overrides`].
    OverridesV1 for Overrides {
        dialect: Option<String>,
        headers: Vec<(String, String)>,
        paths: Vec<(String, String)>,
    }

    /// [`ledger::Provider`].
    ProviderV1 for Provider {
        name: String,
        kind: String,
        base_url: String,
        credentials: Vec<CredentialV1>,
        overrides: OverridesV1,
        models: Vec<ModelV1>,
        unpriced: UnpricedV1,
        stream_usage: u16,
        timeout_ms: u64,
        attempts_max: u32,
        allow_private_network: bool,
        enabled: bool,
        managed_by: String,
        changed_index: u64,
    }

    /// [`ledger::Target`].
    TargetV1 for Target { provider: String, model: String, weight: u32 }

    /// [`ledger::Alias`].
    AliasV1 for Alias {
        name: String,
        targets: Vec<TargetV1>,
        managed_by: String,
        changed_index: u64,
    }
}

/// [`ledger::Unpriced`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpricedV1 {
    /// 0 deny, 1 flat, 2 track.
    pub code: u16,
    /// With 1: the price.
    pub flat_price: Option<PriceV1>,
}

impl Mirror<UnpricedV1> for Unpriced {
    fn out(&self) -> UnpricedV1 {
        let (code, flat_price) = match self {
            Unpriced::Deny => (0, None),
            Unpriced::Flat(price) => (1, Some(price.out())),
            Unpriced::Track => (2, None),
        };
        UnpricedV1 { code, flat_price }
    }

    fn back(wire: UnpricedV1) -> Result<Self, FormatError> {
        match (wire.code, wire.flat_price) {
            (0, _) => Ok(Unpriced::Deny),
            (1, Some(price)) => Ok(Unpriced::Flat(Mirror::back(price)?)),
            (1, None) => Err(FormatError::Malformed {
                kind: Kind::PUT_PROVIDER,
                reason: "flat price is absent".to_owned(),
            }),
            (2, _) => Ok(Unpriced::Track),
            (code, _) => Err(FormatError::UnknownCode { what: "unpriced policy", code }),
        }
    }
}
