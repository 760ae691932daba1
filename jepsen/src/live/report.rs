//! What a run says at its end: a table for people, a line of JSON for each row for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::measure::Row;

/// The table.
pub fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<34} {:>7} {:>8} {:>8} {:>9} {:>9} {:>9} {:>10} {:>9}\n",
        "nemesis",
        "strokes",
        "requests",
        "answered",
        "overspend",
        "stranded",
        "refused*",
        "longest*",
        "write gap"
    );
    for row in rows {
        let Row { nemesis, strokes, requests, answered, overspend, stranded_percent, .. } = row;
        // Writing to memory cannot fail.
        let _ = writeln!(
            text,
            "{nemesis:<34} {strokes:>7} {requests:>8} {answered:>8} {overspend:>9} {stranded_percent:>7.2} % \
             {:>7.2} % {:>8.2} s {:>7.2} s",
            refused_percent(row),
            seconds(row.longest_refusal_ns),
            seconds(row.write_gap_ns),
        );
    }
    text.push_str("* refused though affordable by the provider's own count: part of all requests, and the longest time for one key\n");
    text
}

/// A row for programs.
pub fn line(row: &Row, seed: u64, nodes: usize) -> Value {
    json!({
        "seed": seed,
        "nodes": nodes,
        "nemesis": row.nemesis,
        "strokes": row.strokes,
        "requests": row.requests,
        "answered": row.answered,
        "refused": row.refused,
        "refused_though_affordable": row.affordable,
        "refused_though_affordable_percent": refused_percent(row),
        "overspend": row.overspend,
        "stranded_percent": row.stranded_percent,
        "longest_refusal_s": seconds(row.longest_refusal_ns),
        "worst_write_gap_s": seconds(row.write_gap_ns),
    })
}

fn refused_percent(row: &Row) -> f64 {
    row.affordable as f64 * 100.0 / row.requests.max(1) as f64
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}
