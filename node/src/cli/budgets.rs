//! `bursar budgets`: budgets and their books.

mod moves;
mod settings;
mod write_off;

use super::client::{Admin, Target, encode};
use super::out::{self, Column, cell};
use super::resource::{Verb, ask, path_of, say_unconfirmed};
use clap::{Args, Subcommand};
use moves::{Anew, More, Passed};
use serde_json::{Value, json};
use settings::Settings;
use write_off::Lost;

/// Sets and shows budgets, and moves money by hand.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar budgets put team-a --usd 250 --window month --time-zone Europe/Berlin --thresholds 50,80,95,100
  bursar budgets put dev-each --usd 5 --window day --per key --downgrade 80=openai/gpt-4o-mini
  bursar budgets put batch --tokens 5000000 --window rolling:24h --mode soft
  bursar budgets increase team-a --usd 50 --until 2026-12-24T00:00:00Z --reason launch
  bursar budgets transfer team-a --to team-b --usd 20 --reason 'quiet month'
  bursar budgets instances dev-each
  bursar budgets write-off team-a --reason 'disk of n3 is lost' --dry-run")]
pub(super) struct Budgets {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists budgets, one line for each window.
    List,
    /// Shows a budget.
    Show {
        /// Name of the budget.
        name: String,
    },
    /// Creates a budget or replaces its limit. What was spent stays spent.
    Put {
        /// Name of the budget.
        name: String,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Lists whose accounts a budget has that is not shared by all, one line for each window.
    Instances {
        /// Name of the budget.
        name: String,
    },
    /// Raises a limit for a while.
    Increase {
        /// Name of the budget.
        name: String,
        #[command(flatten)]
        settings: More,
    },
    /// Begins the present period anew: nothing is spent in it any more.
    Reset {
        /// Name of the budget.
        name: String,
        #[command(flatten)]
        settings: Anew,
    },
    /// Moves limit that remains to another budget, for the present periods.
    Transfer {
        /// Name of the budget that gives.
        name: String,
        #[command(flatten)]
        settings: Box<Passed>,
    },
    /// Releases what silent nodes were granted; the limit may be exceeded by as much.
    WriteOff {
        /// Name of the budget.
        name: String,
        #[command(flatten)]
        settings: Lost,
    },
    /// Deletes a budget that nothing names.
    Delete {
        /// Name of the budget.
        name: String,
    },
}

const COLUMNS: [Column; 11] = [
    Column { name: "NAME", of: |row| cell(&row["name"]) },
    Column { name: "WINDOW", of: |row| cell(&row["window"]) },
    Column { name: "UNIT", of: |row| cell(&row["unit"]) },
    Column { name: "LIMIT", of: limit },
    Column { name: "SPENT", of: |row| figure(row, "spent") },
    Column { name: "HELD", of: |row| figure(row, "held") },
    Column { name: "SUSPENSE", of: |row| figure(row, "suspense") },
    Column { name: "DEBT", of: |row| figure(row, "debt") },
    Column { name: "REMAINING", of: |row| figure(row, "remaining") },
    Column { name: "BOUND", of: bound },
    Column { name: "RESETS", of: |row| cell(&row["resets_at"]) },
];

/// The limit; `5.00 each` where each subject has its own.
fn limit(row: &Value) -> String {
    let unit = row["unit"].as_str().unwrap_or_default();
    match &row["each"][unit] {
        Value::Null => figure(row, "limit"),
        each => format!("{} each", cell(each)),
    }
}

fn figure(row: &Value, name: &str) -> String {
    let unit = row["unit"].as_str().unwrap_or_default();
    cell(&row[format!("{name}_{unit}")])
}

/// Most by which the limit can be exceeded.
fn bound(row: &Value) -> String {
    match figure(row, "overspend_bound").as_str() {
        "-" => "none".to_owned(),
        bound => bound.to_owned(),
    }
}

impl Budgets {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let whole = self.target.with(async |admin| run(&admin, self.action).await)?;
        out::answer(self.target.output, &whole, &rows(&whole), &COLUMNS)?;
        write_off::say_released(&whole);
        say_unconfirmed(&whole);
        Ok(())
    }
}

/// One row for each window of what an answer shows: budgets, or the accounts of subjects.
fn rows(whole: &Value) -> Vec<Value> {
    let mut rows = Vec::new();
    for (budget, instance) in [("budget", "instance"), ("to", "to_instance")] {
        match (&whole[instance], &whole[budget]) {
            (Value::Object(_), _) => rows.extend(of_instance(&whole[budget], &whole[instance])),
            (_, Value::Object(_)) => rows.extend(windows(&whole[budget])),
            (_, _) => {}
        }
    }
    match (&whole["items"], rows.is_empty()) {
        (Value::Array(items), _) => items.iter().flat_map(windows).collect(),
        (_, false) => rows,
        (_, true) => windows(whole),
    }
}

/// Each window of one subject, named as the budget and the subject.
fn of_instance(budget: &Value, instance: &Value) -> Vec<Value> {
    let mut named = instance.clone();
    named["name"] = format!("{} {}", cell(&budget["name"]), cell(&instance["subject"])).into();
    named["unit"] = budget["unit"].clone();
    windows(&named)
}

/// Each window of a budget, with the budget's name and unit.
fn windows(budget: &Value) -> Vec<Value> {
    let windows = budget["windows"].as_array().into_iter().flatten();
    let named = windows.map(|window| {
        let mut row = window.clone();
        row["name"] = budget["name"].clone();
        row["unit"] = budget["unit"].clone();
        row
    });
    named.collect()
}

async fn run(admin: &Admin, action: Action) -> anyhow::Result<Value> {
    let of = |name: &str, action: &str| format!("{}:{action}", path_of("budgets", name));
    let verb = match action {
        Action::List => Verb::List,
        Action::Show { name } => Verb::Show(name),
        Action::Put { name, settings } => Verb::Put(name, settings.body()?),
        Action::Instances { name } => return instances(admin, &name).await,
        Action::Increase { name, settings } => {
            let operation = settings.operation();
            let (path, body) = (of(&name, "increase"), settings.body());
            return Ok(admin.act(&path, &body, operation.as_deref()).await?.body);
        }
        Action::Reset { name, settings } => {
            let operation = settings.operation();
            let (path, body) = (of(&name, "reset"), settings.body());
            return Ok(admin.act(&path, &body, operation.as_deref()).await?.body);
        }
        Action::Transfer { name, settings } => {
            let operation = settings.operation();
            let (path, body) = (of(&name, "transfer"), settings.body());
            return Ok(admin.act(&path, &body, operation.as_deref()).await?.body);
        }
        Action::WriteOff { name, settings } => {
            let path = of(&name, "write-off");
            return Ok(admin.act(&path, &settings.body(), None).await?.body);
        }
        Action::Delete { name } => Verb::Delete(name),
    };
    ask(admin, "budgets", verb).await
}

/// The instances of a budget, each with the budget's unit and a name of its own.
async fn instances(admin: &Admin, name: &str) -> anyhow::Result<Value> {
    let budget = admin.get(&path_of("budgets", name)).await?.body;
    let listed = admin.list(&format!("budgets/{}/instances", encode(name))).await?;
    let named = listed["items"].as_array().into_iter().flatten().map(|instance| {
        let mut named = instance.clone();
        named["name"] = format!("{name} {}", cell(&instance["subject"])).into();
        named["unit"] = budget["unit"].clone();
        named
    });
    Ok(json!({ "items": named.collect::<Vec<_>>() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_shows_a_row_for_each_side() {
        let window = json!({"window": "never", "limit_usd": "1.00", "overspend_bound_usd": null});
        let budget = |name: &str| json!({"name": name, "unit": "usd", "windows": [window]});
        let moved = json!({
            "budget": budget("team"), "to": budget("each"),
            "to_instance": {"subject": "user:ann", "windows": [window]},
        });
        let names: Vec<String> = rows(&moved).iter().map(|row| cell(&row["name"])).collect();
        assert_eq!(names, ["team", "each user:ann"]);
        assert_eq!(bound(&rows(&moved)[0]), "none");
        assert_eq!(rows(&json!({"items": []})), Vec::<Value>::new());
        assert_eq!(rows(&budget("one")).len(), 1);
        assert_eq!(limit(&rows(&budget("one"))[0]), "1.00");
        let shared = json!({"unit": "usd", "each": {"usd": "5.00"}, "limit_usd": "0.00"});
        assert_eq!(limit(&shared), "5.00 each");
    }

    #[test]
    fn amounts_below_a_cent_are_shown_to_the_nano_dollar() {
        use api::admin::v1::budgets::Books;
        let books =
            Books { limit: 12_500_000_000, spent: 19_001, remaining: 5, ..Books::default() };
        let budget = json!({"name": "b", "unit": "usd", "windows": [books]});
        let row = &rows(&budget)[0];
        let figures = ["limit", "spent", "held", "remaining"].map(|name| figure(row, name));
        assert_eq!(figures, ["12.50", "0.000019001", "0.00", "0.000000005"]);
    }
}
