//! A model and its price on one line: `NAME`, `NAME=IN,OUT` or `NAME=IN,OUT,CLASS[:WHERE]=USD`.

use anyhow::{Context, bail};
use ledger::{Class, Quality, Service};
use serde_json::{Value, json};

/// What the admin API takes for it.
pub(super) fn model_of(text: &str) -> anyhow::Result<Value> {
    let Some((name, prices)) = text.split_once('=') else {
        return Ok(json!({ "name": text }));
    };
    let mut parts = prices.split(',');
    let input = parts.next().unwrap_or_default();
    let output = parts.next().with_context(|| {
        format!("--model {text}: write NAME=IN,OUT in dollars per million tokens")
    })?;
    let mut price = json!({ "input_usd_per_mtok": input, "output_usd_per_mtok": output });
    let mut rates = Vec::new();
    for part in parts {
        let (what, usd) = part.split_once('=').with_context(|| {
            format!("--model {text}: write {part:?} as CLASS=USD or CLASS:WHERE=USD")
        })?;
        let (class, rest) = what.split_once(':').unwrap_or((what, ""));
        let field = match (class, rest) {
            ("cache_read" | "cache_write", "") => Some(format!("{class}_usd_per_mtok")),
            ("request", "") => Some("request_usd".to_owned()),
            _ => None,
        };
        match field {
            Some(field) => price[field] = usd.into(),
            None => rates.push(rate(class, rest, usd).with_context(|| format!("--model {text}"))?),
        }
    }
    if !rates.is_empty() {
        price["rates"] = rates.into();
    }
    Ok(json!({ "name": name, "price": price }))
}

fn rate(class: &str, rest: &str, usd: &str) -> anyhow::Result<Value> {
    let known = Class::ALL.iter().find(|(_, name)| *name == class);
    let Some((known, _)) = known else {
        let names: Vec<&str> = Class::ALL.iter().map(|(_, name)| *name).collect();
        bail!("{class:?} is nothing that is counted: one of {}", names.join(", "));
    };
    let by_million = known.is_tokens() || *known == Class::Character;
    let unit = if by_million { "usd_per_million" } else { "usd_each" };
    let mut rate = json!({ "class": class, unit: usd });
    for place in rest.split(':').filter(|place| !place.is_empty()) {
        let service = Service::ALL.iter().any(|(_, name)| *name == place);
        let quality = Quality::ALL.iter().any(|(_, name)| *name == place);
        if let Some(tokens) = place.strip_prefix("above") {
            let tokens: u64 = tokens.parse().with_context(|| format!("{place:?}: aboveTOKENS"))?;
            rate["above_input_tokens"] = tokens.into();
        } else if *known == Class::Image && quality {
            rate["quality"] = place.into();
        } else if service {
            rate["service"] = place.into();
        } else if *known == Class::Image {
            rate["size"] = place.into();
        } else {
            bail!("{place:?} is neither a class of service nor aboveTOKENS");
        }
    }
    Ok(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_may_carry_its_price() {
        assert_eq!(model_of("a/b").unwrap(), json!({"name": "a/b"}));
        let priced = model_of("a=0.15,0.6").unwrap();
        assert_eq!(priced["price"]["output_usd_per_mtok"], "0.6");
        assert!(model_of("a=1").is_err());
    }

    #[test]
    fn more_prices_say_what_they_are_for_and_where_they_hold() {
        let all = "a=1,2,cache_read=0.1,audio_input=32,input:priority:above200000=4,image:1024x1536:high=0.25,web_search=0.01";
        let price = &model_of(all).unwrap()["price"];
        assert_eq!(price["cache_read_usd_per_mtok"], "0.1");
        let expected = json!([
            {"class": "audio_input", "usd_per_million": "32"},
            {"class": "input", "usd_per_million": "4", "service": "priority", "above_input_tokens": 200_000},
            {"class": "image", "usd_each": "0.25", "size": "1024x1536", "quality": "high"},
            {"class": "web_search", "usd_each": "0.01"},
        ]);
        assert_eq!(price["rates"], expected);
        for (odd, said) in [
            ("a=1,2,3", "CLASS=USD"),
            ("a=1,2,picture=3", "nothing that is counted"),
            ("a=1,2,page:dear=3", "neither a class of service"),
            ("a=1,2,input:abovex=3", "aboveTOKENS"),
        ] {
            let error = format!("{:#}", model_of(odd).unwrap_err());
            assert!(error.contains(said), "{odd}: {error}");
        }
    }
}
