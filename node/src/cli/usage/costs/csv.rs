//! Cost exports in CSV, read by their headings.

use super::json::check_currency;
use super::{Atto, Line, day, model_of};
use anyhow::{Context, bail};

/// Headings under which exports put what is needed, the best first.
const DAY: [&str; 6] =
    ["day", "date", "usage_date_utc", "start_time_iso", "starting_at", "start_time"];
const MODEL: [&str; 2] = ["model", "line_item"];
const COST: [&str; 6] =
    ["cost_usd", "amount_value", "amount_usd", "amount_in_usd", "cost", "amount"];
const CURRENCY: [&str; 2] = ["amount_currency", "currency"];

pub(super) fn read(text: &str) -> anyhow::Result<Vec<Line>> {
    let text = text.trim_start_matches('\u{feff}');
    let separator = separator(text);
    let mut records = records(text, separator)?.into_iter();
    let (_, headings) = records.next().context("there is no line in it")?;
    let headings: Vec<String> = headings.iter().map(|name| name.trim().to_lowercase()).collect();
    let find = |names: &[&str]| {
        names.iter().find_map(|name| headings.iter().position(|heading| heading == name))
    };
    let need = |what: &str, names: &[&str]| {
        find(names)
            .with_context(|| format!("there is no column {what}: call it {}", names.join(" or ")))
    };
    let (day_at, cost_at) = (need("for the day", &DAY)?, need("for the cost", &COST)?);
    let (model_at, currency_at) = (find(&MODEL), find(&CURRENCY));
    let mut lines = Vec::new();
    for (number, record) in records {
        let field = |at: usize| record.get(at).map_or("", |field| field.trim());
        if field(cost_at).is_empty() {
            continue;
        }
        let read = || {
            check_currency(currency_at.map(field))?;
            let (day, amount) = (day(field(day_at))?, Atto::read(field(cost_at), 0)?);
            let model = model_at.map_or_else(String::new, |at| model_of(field(at)));
            anyhow::Ok(Line { day, model, amount })
        };
        lines.push(read().with_context(|| format!("line {number}"))?);
    }
    Ok(lines)
}

/// A comma, or whatever a spreadsheet of another country puts in its place.
fn separator(text: &str) -> char {
    let first = text.lines().next().unwrap_or_default();
    [',', ';', '\t'].into_iter().find(|mark| first.contains(*mark)).unwrap_or(',')
}

/// The records with the numbers of their first lines. Fields in quotes may hold anything; a quote in them
/// is written twice. Empty lines are left out.
fn records(text: &str, separator: char) -> anyhow::Result<Vec<(usize, Vec<String>)>> {
    let mut records = Vec::new();
    let (mut record, mut field) = (Vec::new(), String::new());
    let (mut number, mut began, mut quoted) = (1, 1, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\n' {
            number += 1;
        }
        match (quoted, letter) {
            (true, '"') if letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            (true, '"') => quoted = false,
            (false, '"') if field.is_empty() => quoted = true,
            (false, '\n') => {
                record.push(std::mem::take(&mut field));
                records.push((began, std::mem::take(&mut record)));
                began = number;
            }
            (false, '\r') => {}
            (false, mark) if mark == separator => record.push(std::mem::take(&mut field)),
            (_, letter) => field.push(letter),
        }
    }
    if quoted {
        bail!("line {began}: a quote is not closed");
    }
    if !field.is_empty() || !record.is_empty() {
        record.push(field);
        records.push((began, record));
    }
    records.retain(|(_, record)| record.iter().any(|field| !field.is_empty()));
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_in_quotes_hold_separators_quotes_and_line_ends() {
        let text = "a,\"b, \"\"c\"\"\",d\r\n\r\n\"e\nf\",g\n";
        let expected = vec![
            (1, vec!["a".to_owned(), "b, \"c\"".to_owned(), "d".to_owned()]),
            (3, vec!["e\nf".to_owned(), "g".to_owned()]),
        ];
        assert_eq!(records(text, ',').unwrap(), expected);
        assert!(records("\"a", ',').is_err());
    }
}
