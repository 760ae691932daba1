//! What a provider says it billed: its cost exports, read without a float.

mod csv;
mod json;
mod money;

pub(super) use money::Atto;

use anyhow::{Context, bail};
use api::admin::Day;
use std::collections::BTreeMap;

/// What was billed for each day and model. An empty model: the export does not say, or it is for no model.
pub(super) type Billed = BTreeMap<(Day, String), Atto>;

/// One line of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    day: Day,
    model: String,
    amount: Atto,
}

/// Reads an export: JSON of OpenAI's costs API or Anthropic's cost report, one page or a list of them; or
/// CSV, OpenAI's, Anthropic's, or a plain one with day, model and cost_usd.
pub(super) fn read(text: &str) -> anyhow::Result<Billed> {
    let lines = match text.trim_start().chars().next() {
        Some('{' | '[') => json::read(text).context("as JSON of a cost report")?,
        Some(_) => csv::read(text).context("as CSV of costs")?,
        None => bail!("the file is empty"),
    };
    let mut billed = Billed::new();
    for line in lines {
        let sum = billed.entry((line.day, line.model)).or_default();
        *sum = sum.plus(line.amount)?;
    }
    Ok(billed)
}

/// The day of a moment as exports write it: seconds since 1970, or RFC 3339 with or without a clock.
fn day(moment: &str) -> anyhow::Result<Day> {
    if let Ok(seconds) = moment.parse::<u64>() {
        return Ok(Day(u32::try_from(seconds / 86_400)?));
    }
    let date = moment.get(..10).unwrap_or(moment);
    date.parse().map_err(|say: String| anyhow::anyhow!(say))
}

/// The model of a line item: `gpt-4o-2024-08-06, cached input` is of `gpt-4o-2024-08-06`. Tools and
/// storage, which have no comma, keep their whole name.
fn model_of(line_item: &str) -> String {
    let item = line_item.rsplit('|').next().unwrap_or(line_item).trim();
    match item.split_once(',') {
        Some((model, _)) => {
            let first = model.split_whitespace().next().unwrap_or(model);
            first.to_owned()
        }
        None => item.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn billed(text: &str) -> Vec<(String, String, String)> {
        let billed = read(text).unwrap();
        let shown = billed
            .into_iter()
            .map(|((day, model), amount)| (day.to_string(), model, amount.to_string()));
        shown.collect()
    }

    fn line(day: &str, model: &str, usd: &str) -> (String, String, String) {
        (day.to_owned(), model.to_owned(), usd.to_owned())
    }

    #[test]
    fn openais_costs_are_read_from_json() {
        let text = r#"{"object":"page","data":[{"object":"bucket","start_time":1730419200,
            "end_time":1730505600,"results":[
            {"amount":{"value":0.06,"currency":"usd"},"line_item":"gpt-4o-2024-08-06, input"},
            {"amount":{"value":1.2e-05,"currency":"usd"},"line_item":"gpt-4o-2024-08-06, cached input"},
            {"amount":{"value":"0.5","currency":"usd"},"line_item":"web search tool calls"}]}],
            "has_more":false,"next_page":null}"#;
        let expected = [
            line("2024-11-01", "gpt-4o-2024-08-06", "0.060012"),
            line("2024-11-01", "web search tool calls", "0.5"),
        ];
        assert_eq!(billed(text), expected);
        assert_eq!(billed(&format!("[{text},{text}]"))[1].2, "1");
    }

    #[test]
    fn anthropics_cost_report_is_in_cents() {
        let text = r#"{"data":[{"starting_at":"2025-08-01T00:00:00Z","ending_at":"2025-08-02T00:00:00Z",
            "results":[{"amount":"123.78912","currency":"USD","model":"claude-opus-4-20250514",
            "description":"Claude Opus 4 Usage - Input Tokens"},
            {"amount":"10","currency":"USD","model":null,"description":"Web search"}]}],
            "has_more":false}"#;
        let expected = [
            line("2025-08-01", "Web search", "0.1"),
            line("2025-08-01", "claude-opus-4-20250514", "1.2378912"),
        ];
        assert_eq!(billed(text), expected);
    }

    #[test]
    fn exports_in_csv_are_read_by_their_headings() {
        let openai = "start_time,end_time,start_time_iso,amount_value,amount_currency,line_item\n\
            1790467200,1790553600,2026-09-27T00:00:00+00:00,,,\n\
            1790553600,1790640000,2026-09-28T00:00:00,0.003835980000000000000000000000,usd,\n\
            1790553600,1790640000,2026-09-28T00:00:00,0.5,usd,\"gpt-5-nano, input_tokens\"\n";
        let expected =
            [line("2026-09-28", "", "0.00383598"), line("2026-09-28", "gpt-5-nano", "0.5")];
        assert_eq!(billed(openai), expected);
        let plain =
            "\u{feff}Day;Model;Cost_USD\r\n2026-01-02;gpt-4o;1.25\r\n2026-01-02;gpt-4o;$0.75\r\n";
        assert_eq!(billed(plain), [line("2026-01-02", "gpt-4o", "2")]);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        for (text, said) in [
            ("", "empty"),
            ("{}", "no data"),
            ("a,b\n1,2\n", "no column"),
            ("day,model,cost_usd\nyesterday,m,1\n", "line 2"),
            ("day,model,cost_usd\n2026-01-01,m,one\n", "line 2"),
            ("day,model,cost,currency\n2026-01-01,m,1,EUR\n", "EUR"),
            (
                r#"{"data":[{"start_time":1,"results":[{"amount":{"value":1,"currency":"eur"}}]}]}"#,
                "eur",
            ),
            (r#"{"data":[],"has_more":true}"#, "more pages"),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn line_items_name_their_model() {
        for (item, model) in [
            ("gpt-5.5-2026-04-23, cached input", "gpt-5.5-2026-04-23"),
            ("priority | gpt-5.6-sol, output, long context", "gpt-5.6-sol"),
            ("gpt-image-1 text, input", "gpt-image-1"),
            ("web search tool calls", "web search tool calls"),
        ] {
            assert_eq!(model_of(item), model);
        }
    }
}
