//! Rows of usage, grouped as asked.

use api::admin::v1::usage::{About, By, Question, ROWS_MAX, Sums, UsageRow};
use api::admin::{Answer, Day, Problem, Usd};
use ledger::{Ledger, UsageKey, UsageSums};
use std::collections::BTreeMap;

/// The rows, and the sum of all lines that were looked at.
pub(super) fn rows(ledger: &Ledger, question: &Question) -> Answer<(Vec<UsageRow>, Sums)> {
    let mut groups: BTreeMap<About, UsageSums> = BTreeMap::new();
    let mut total = UsageSums::default();
    let last = question.to.map_or(u32::MAX, |day| day.0);
    for (key, sums) in ledger::view::usage_rows(ledger, question.from.0, last) {
        total.add(sums);
        for about in abouts(ledger, &question.by, key) {
            groups.entry(about).or_default().add(sums);
        }
        if groups.len() > ROWS_MAX {
            let say = format!("makes more than {ROWS_MAX} rows: ask for fewer days or groups");
            return Err(Problem::invalid("by", say));
        }
    }
    let rows = groups.into_iter().map(|(about, sums)| UsageRow { about, sums: sums_out(&sums) });
    Ok((rows.collect(), sums_out(&total)))
}

/// What a line is counted for: one group, or one for each of its tags.
fn abouts(ledger: &Ledger, by: &[By], key: &UsageKey) -> Vec<About> {
    let mut about = About::default();
    let mut per_tag = false;
    for one in by {
        match one {
            By::Customer => about.customer = Some(key.customer.clone()),
            By::Team => about.team = Some(key.team.clone()),
            By::User => about.user = Some(key.user.clone()),
            By::Key => {
                about.key = Some(key.key.clone());
                about.key_name = ledger.keys.get(&key.key).map(|known| known.name.clone());
            }
            By::Provider => about.provider = Some(key.provider.clone()),
            By::Model => about.model = Some(key.model.clone()),
            By::Day => about.day = Some(Day(key.day)),
            By::Tag => per_tag = true,
        }
    }
    match (per_tag, key.tags.as_slice()) {
        (false, _) => vec![about],
        (true, []) => vec![About { tag: Some(String::new()), ..about }],
        (true, tags) => {
            tags.iter().map(|tag| About { tag: Some(tag.clone()), ..about.clone() }).collect()
        }
    }
}

fn sums_out(sums: &UsageSums) -> Sums {
    Sums {
        requests: sums.requests,
        input_tokens: sums.input_tokens,
        cache_read_tokens: sums.cache_read_tokens,
        cache_write_tokens: sums.cache_write_tokens,
        output_tokens: sums.output_tokens,
        reasoning_tokens: sums.reasoning_tokens,
        cost_usd: Usd(sums.cost_nano_usd),
        cost_nano_usd: sums.cost_nano_usd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        for (day, team, tags, cost) in [
            (1, "red", &["batch", "eval"][..], 5),
            (1, "blue", &["batch"], 7),
            (2, "red", &[], 11),
            (3, "red", &[], 13),
        ] {
            let key = UsageKey {
                day,
                team: team.to_owned(),
                tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
                ..UsageKey::default()
            };
            let sums = UsageSums { requests: 1, cost_nano_usd: cost, ..UsageSums::default() };
            ledger.add_usage(key, &sums);
        }
        ledger
    }

    fn costs(by: &[By], from: u32, to: u32) -> (Vec<i64>, i64) {
        let question = Question { from: Day(from), to: Some(Day(to)), by: by.to_vec() };
        let (rows, total) = rows(&ledger(), &question).unwrap();
        (rows.iter().map(|row| row.sums.cost_nano_usd).collect(), total.cost_nano_usd)
    }

    #[test]
    fn rows_of_days_add_up_to_the_total() {
        assert_eq!(costs(&[], 0, 9), (vec![36], 36));
        assert_eq!(costs(&[By::Team], 0, 9), (vec![7, 29], 36));
        assert_eq!(costs(&[By::Team, By::Day], 1, 2), (vec![7, 5, 11], 23));
        assert_eq!(costs(&[By::Team], 4, 9), (vec![], 0));
    }

    #[test]
    fn a_line_counts_for_each_of_its_tags_and_once_in_the_total() {
        // Without a tag, batch, eval.
        assert_eq!(costs(&[By::Tag], 0, 9), (vec![24, 12, 5], 36));
    }
}
