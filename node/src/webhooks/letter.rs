//! What is posted: `{"id", "type", "created", "data"}`.

use api::admin::Timestamp;
use api::admin::v1::budgets::{Amount, Unit};
use bytes::Bytes;
use ledger::{Event, Happened, Ledger};
use serde::Serialize;
use serde_json::{Value, json};

/// One event, ready to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// The same whenever and from wherever it is posted.
    pub(crate) id: String,
    /// The JSON.
    pub(crate) body: Bytes,
}

#[derive(Serialize)]
struct Written<'a> {
    id: &'a str,
    r#type: &'a str,
    created: Timestamp,
    data: Value,
}

impl Letter {
    fn new(id: String, kind: &str, created: Timestamp, data: Value) -> Self {
        let written = Written { id: &id, r#type: kind, created, data };
        let body = serde_json::to_vec(&written).expect("a letter is strings and numbers");
        Self { id, body: body.into() }
    }

    /// The letter of an event of this ledger.
    pub(crate) fn of(ledger: &Ledger, event: &Event) -> Self {
        // An id is one of its cluster's: a receiver may listen to several.
        let id = format!("evt_{}_{}", ledger.cluster_id, event.id);
        let (kind, data) = match &event.what {
            Happened::ThresholdReached {
                budget,
                subject,
                window,
                period,
                percent,
                limit,
                spent,
                ends_at,
            } => {
                let known = ledger.budgets.get(budget);
                let terms = known.and_then(|known| known.windows.get(usize::from(*window)));
                let unit = known.map(|known| crate::admin::budgets::unit_out(known.unit));
                let mut data = json!({
                    "budget": budget,
                    "period": period,
                    "percent": percent,
                    "limit": amount(unit, *limit),
                    "spent": amount(unit, *spent),
                });
                let more = [
                    ("subject", (!subject.is_empty()).then(|| json!(subject))),
                    (
                        "window",
                        terms.map(|terms| json!(crate::admin::budgets::window_out(terms.window))),
                    ),
                    ("resets_at", ends_at.map(|at| json!(Timestamp(at.0)))),
                ];
                for (name, value) in more {
                    if let Some(value) = value {
                        data[name] = value;
                    }
                }
                ("budget.threshold_reached", data)
            }
        };
        Self::new(id, kind, Timestamp(event.at.0), data)
    }

    /// A letter that says nothing, for an operator who tries a webhook.
    pub(crate) fn test(id: &str, webhook: &str, now: Timestamp) -> Self {
        Self::new(format!("test_{id}"), "webhook.test", now, json!({ "webhook": webhook }))
    }
}

/// An amount in the budget's unit; a bare number where the budget is forgotten.
fn amount(unit: Option<Unit>, value: i64) -> Value {
    match unit {
        Some(unit) => json!(Amount::of(unit, value)),
        None => json!(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{Budget, BudgetWindow, UnixMillis, Window};

    #[test]
    fn a_letter_names_the_budget_its_window_and_the_amounts_in_its_unit() {
        let mut ledger = Ledger { cluster_id: "01J".to_owned(), ..Ledger::default() };
        let windows = vec![BudgetWindow { window: Window::Month, limit: 2_000_000_000 }];
        let budget = Budget { name: "team".to_owned(), windows, ..Budget::default() };
        ledger.budgets.insert_mut("team".to_owned(), budget);
        let what = Happened::ThresholdReached {
            budget: "team".to_owned(),
            subject: "user:ann".to_owned(),
            window: 0,
            period: 3,
            percent: 80,
            limit: 2_000_000_000,
            spent: 1_600_000_001,
            ends_at: Some(UnixMillis(86_400_000)),
        };
        let waiting = Default::default();
        let letter = Letter::of(&ledger, &Event { id: 7, at: UnixMillis(1_000), waiting, what });
        let body: Value = serde_json::from_slice(&letter.body).unwrap();
        let expected = json!({
            "id": "evt_01J_7", "type": "budget.threshold_reached", "created": "1970-01-01T00:00:01Z",
            "data": {
                "budget": "team", "subject": "user:ann", "window": "month", "period": 3, "percent": 80,
                "limit": {"usd": "2.00", "nano_usd": 2_000_000_000_i64},
                "spent": {"usd": "1.600000001", "nano_usd": 1_600_000_001_i64},
                "resets_at": "1970-01-02T00:00:00Z",
            },
        });
        assert_eq!((letter.id.as_str(), body), ("evt_01J_7", expected));
    }
}
