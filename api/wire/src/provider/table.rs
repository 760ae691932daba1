//! Which provider can be asked what: a table for people.

use super::{ALL, Provider, SURFACES};
use crate::call::Operation;

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The provider's kind.
    pub name: &'static str,
    /// Where it is reached unless an operator says otherwise; empty where only an operator knows. What stands in
    /// braces each account has its own of.
    pub base_url: &'static str,
    /// The dialects of each operation of [`Operation::ALL`], in that order.
    pub dialects: Vec<Vec<&'static str>>,
}

/// The table, one line for each surface of a provider.
#[must_use]
pub fn rows() -> Vec<Row> {
    let surfaces = |provider: &&'static Provider| {
        let name = provider.name;
        let others = SURFACES.iter().copied().filter(move |surface| surface.name == name);
        std::iter::once(*provider).chain(others)
    };
    ALL.iter().flat_map(surfaces).map(row).collect()
}

fn row(provider: &Provider) -> Row {
    let dialects = |operation: &Operation| {
        let speaks = provider.speaks.iter().filter(|speech| speech.operation == *operation);
        let kept = provider.keeps.iter().filter(|kept| kept.operation() == *operation);
        let kept = kept.map(|_| "passed on");
        speaks.map(|speech| speech.dialect.name).chain(kept).collect()
    };
    let dialects = Operation::ALL.iter().map(dialects).collect();
    Row { name: provider.name, base_url: provider.base_url, dialects }
}

/// The table in Markdown, without the operations that no provider is asked.
#[must_use]
pub fn markdown() -> String {
    let rows = rows();
    let asked = |at: &usize| rows.iter().any(|row| !row.dialects[*at].is_empty());
    let columns: Vec<usize> = (0..Operation::ALL.len()).filter(asked).collect();
    let mut text = "| provider | base URL |".to_owned();
    columns.iter().for_each(|at| text.push_str(&format!(" {} |", Operation::ALL[*at].name())));
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(columns.len()));
    text.push('\n');
    for row in &rows {
        let base = if row.base_url.is_empty() { "the operator's own" } else { row.base_url };
        text.push_str(&format!("| `{}` | {base} |", row.name));
        for at in &columns {
            text.push_str(&format!(" {} |", row.dialects[*at].join(", ")));
        }
        text.push('\n');
    }
    text
}
