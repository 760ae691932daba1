//! What a lost node was granted comes back on an operator's word.

use super::solo::Solo;
use ledger::NodeId;
use ledger::command::{Command, EnrolNode, Refill, RefillLine};
use serde_json::json;

impl Solo {
    /// A node that was granted `must` and lives another life by now.
    async fn lost_node(&self, budget: &str, must: i64) -> NodeId {
        let id = self.enrolled("lost").await;
        let line = RefillLine {
            account: self.account(budget),
            period: 1,
            settled_cum: 0,
            returned_cum: 0,
            debt_cum: 0,
            want: must,
            must,
            path: 0,
        };
        let refill = Refill {
            node: id,
            incarnation: 1,
            seq: 1,
            active_nodes: 2,
            lines: vec![line],
            ..Refill::default()
        };
        self.propose(Command::Refill(refill)).await;
        self.propose(Command::EnrolNode(EnrolNode { id, incarnation: 2 })).await;
        id
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspense_is_shown_first_and_then_released_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    solo.put("budgets/team", json!({"limit_requests": 100})).await;
    let lost = solo.lost_node("team", 60).await;
    let books = solo.get("budgets/team").await.json["windows"][0].clone();
    assert_eq!(
        (&books["suspense_requests"], &books["remaining_requests"]),
        (&json!(60), &json!(40))
    );

    let write_off = async |body| solo.post("budgets/team:write-off", body).await;
    let asked = json!({"reason": "gone", "dry_run": true});
    let shown = write_off(asked).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    assert_eq!(shown.json["overspend_bound"], json!({"requests": 60}));
    assert_eq!(shown.json["budget"]["windows"][0]["suspense_requests"], 60);

    let asked = json!({"reason": "gone", "node": "lost", "amount_requests": 10});
    let part = write_off(asked).await;
    let released = json!([{
        "node": lost.0.to_string(), "label": "lost", "incarnation": 1, "amount": {"requests": 10},
    }]);
    assert_eq!(part.json["released"], released, "{part:?}");
    let rest = write_off(json!({"reason": "gone"})).await;
    let books = &rest.json["budget"]["windows"][0];
    assert_eq!(
        (&books["suspense_requests"], &books["remaining_requests"]),
        (&json!(0), &json!(100))
    );
    assert_eq!(books["overspend_bound_requests"], 60);
    let because = json!([{"why": "written_off", "amount": {"requests": 60}}]);
    assert_eq!(books["overspend_because"], because);
    let none = write_off(json!({"reason": "gone"})).await;
    assert_eq!((none.status, &none.json["released"]), (200, &json!([])));
}
