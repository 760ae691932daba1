//! What is printed: results on standard output, everything else on standard error.

use serde_json::Value;
use std::io::{ErrorKind, Write};

/// How results look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Table,
    /// As the API answered.
    Json,
    /// The same as YAML.
    Yaml,
    /// The table as CSV.
    Csv,
}

/// One column of a table.
pub(super) struct Column {
    /// Its heading.
    pub(super) name: &'static str,
    /// What stands in it.
    pub(super) of: fn(&Value) -> String,
}

/// Prints text.
pub(super) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read this has seen enough: `bursar keys list | head -1`.
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => Ok(printed?),
    }
}

/// Prints a line.
pub(super) fn line(line: &str) -> anyhow::Result<()> {
    text(&format!("{line}\n"))
}

/// Says what went wrong.
pub(super) fn complain(message: &str) {
    // With standard error closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// Prints an answer: as a table of `rows`, or as it came.
pub(super) fn answer(
    format: Format,
    whole: &Value,
    rows: &[Value],
    columns: &[Column],
) -> anyhow::Result<()> {
    match format {
        Format::Table => text(&table(rows, columns)),
        Format::Json => line(&serde_json::to_string_pretty(whole)?),
        Format::Yaml => text(&serde_saphyr::to_string(whole)?),
        Format::Csv => text(&csv(rows, columns)),
    }
}

/// Rows under headings, each column as wide as its widest cell.
fn table(rows: &[Value], columns: &[Column]) -> String {
    let headings = columns.iter().map(|column| column.name.to_owned()).collect();
    let cells = rows.iter().map(|row| columns.iter().map(|column| (column.of)(row)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(headings).chain(cells).collect();
    let width = |nth: usize| lines.iter().map(|line| line[nth].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let padded = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Rows under headings of small letters, as programs read them; what is not there is empty.
fn csv(rows: &[Value], columns: &[Column]) -> String {
    let quoted = |field: &str| match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    };
    let headings = columns.iter().map(|column| column.name.to_lowercase().replace(' ', "_"));
    let mut text = headings.collect::<Vec<_>>().join(",") + "\n";
    for row in rows {
        let fields = columns.iter().map(|column| match (column.of)(row).as_str() {
            "-" => String::new(),
            field => quoted(field),
        });
        text.push_str(&fields.collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

/// A field as a cell: text as it is, `-` where there is nothing, lists with commas.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(","),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let columns = [
            Column { name: "NAME", of: |row| cell(&row["name"]) },
            Column { name: "MODELS", of: |row| cell(&row["models"]) },
        ];
        let rows = [json!({"name": "application", "models": ["a", "b"]}), json!({"name": "b"})];
        assert_eq!(
            table(&rows, &columns),
            "NAME         MODELS\napplication  a,b\nb            -\n"
        );
        assert_eq!(csv(&rows, &columns), "name,models\napplication,\"a,b\"\nb,\n");
    }
}
