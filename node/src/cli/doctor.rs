//! `bursar doctor`: what is wrong with a cluster, and what to do about it.

use super::client::{Admin, Target};
use super::out::{self, Column, cell};
use anyhow::bail;
use serde_json::{Value, json};

/// Looks for what is wrong, and says what to do. Exit code 1 where something is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  bursar doctor
  bursar doctor --url http://10.0.0.2:8081 -o json")]
pub(super) struct Doctor {
    #[command(flatten)]
    target: Target,
}

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    /// What is wrong and what to do; empty: nothing is.
    wrong: Vec<(String, &'static str)>,
}

/// What is read of the cluster.
struct Chart {
    status: Value,
    members: Value,
    providers: Value,
    doors: Value,
    budgets: Value,
    webhooks: Value,
}

const COLUMNS: [Column; 4] = [
    Column { name: "CHECK", of: |row| cell(&row["check"]) },
    Column { name: "OK", of: |row| cell(&row["ok"]) },
    Column { name: "FOUND", of: |row| cell(&row["found"]) },
    Column { name: "WHAT TO DO", of: |row| cell(&row["fix"]) },
];

impl Doctor {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let findings = self.target.with(async |admin| Ok(examine(&read(&admin).await?)))?;
        let rows: Vec<Value> = findings.iter().flat_map(rows).collect();
        out::answer(self.target.output, &json!({ "items": rows }), &rows, &COLUMNS)?;
        match findings.iter().map(|finding| finding.wrong.len()).sum() {
            0 => Ok(()),
            1 => bail!("one thing is wrong"),
            count => bail!("{count} things are wrong"),
        }
    }
}

async fn read(admin: &Admin) -> anyhow::Result<Chart> {
    Ok(Chart {
        status: admin.get("status").await?.body,
        members: admin.get("cluster/members").await?.body,
        providers: admin.list("providers").await?,
        doors: admin.get("nodes/self/providers").await?.body,
        budgets: admin.list("budgets").await?,
        webhooks: admin.list("webhooks").await?,
    })
}

fn examine(chart: &Chart) -> [Finding; 6] {
    [
        ready(&chart.status["node"]),
        cluster(&chart.status["cluster"]),
        members(items(&chart.members)),
        providers(items(&chart.providers), items(&chart.doors)),
        budgets(items(&chart.budgets)),
        webhooks(items(&chart.webhooks)),
    ]
}

fn items(list: &Value) -> &[Value] {
    list["items"].as_array().map_or(&[], Vec::as_slice)
}

fn rows(finding: &Finding) -> Vec<Value> {
    let row = |ok: bool, found: &str, fix: &str| json!({ "check": finding.what, "ok": ok, "found": found, "fix": fix });
    match finding.wrong.is_empty() {
        true => vec![row(true, "", "")],
        false => finding.wrong.iter().map(|(found, fix)| row(false, found, fix)).collect(),
    }
}

fn ready(node: &Value) -> Finding {
    let checks = node["checks"].as_array().into_iter().flatten();
    let failed = checks.filter(|check| check["ok"] != Value::Bool(true));
    let wrong = failed.map(|check| {
        let found = format!("{}: {}", cell(&check["name"]), cell(&check["detail"]));
        (found, "wait, if it has just started; else see the node's log")
    });
    Finding { what: "node", wrong: wrong.collect() }
}

fn cluster(cluster: &Value) -> Finding {
    let mut wrong = Vec::new();
    if cluster["quorum_ok"] != Value::Bool(true) {
        let found = "no quorum: nothing can be changed, and budgets last as long as allowances do";
        wrong.push((found.to_owned(), "bring back voters until more than half are live"));
    }
    if cluster["voters"].as_array().is_some_and(|voters| voters.len() == 2) {
        let found = "two voters: the loss of either stops every write";
        wrong.push((found.to_owned(), "add a third node"));
    }
    for warning in cluster["warnings"].as_array().into_iter().flatten() {
        wrong.push((cell(warning), "see the warning"));
    }
    Finding { what: "cluster", wrong }
}

fn members(members: &[Value]) -> Finding {
    let mut wrong = Vec::new();
    for member in members.iter().filter(|member| member["state"] == "silent") {
        let found = format!("node {} is silent", cell(&member["label"]));
        wrong.push((found, "start it; if it is gone for good: bursar cluster remove"));
    }
    let mut versions: Vec<String> = members.iter().map(|member| cell(&member["version"])).collect();
    versions.sort_unstable();
    versions.dedup();
    if versions.len() > 1 {
        let found = format!("nodes run different versions: {}", versions.join(", "));
        wrong.push((found, "finish the upgrade"));
    }
    Finding { what: "members", wrong }
}

fn providers(providers: &[Value], doors: &[Value]) -> Finding {
    let mut wrong = Vec::new();
    if !providers.iter().any(|provider| provider["enabled"] == Value::Bool(true)) {
        wrong.push(("no provider is enabled".to_owned(), "bursar providers put"));
    }
    for door in doors.iter().filter(|door| door["passed_over"] == Value::Bool(true)) {
        let found = format!(
            "provider {}, credential {}: passed over after {} failures",
            cell(&door["provider"]),
            cell(&door["credential"]),
            door["failures_in_a_row"],
        );
        wrong.push((found, "see the log for what it answered; it is tried again by itself"));
    }
    Finding { what: "providers", wrong }
}

fn budgets(budgets: &[Value]) -> Finding {
    let mut wrong = Vec::new();
    for budget in budgets {
        let unit = budget["unit"].as_str().unwrap_or_default();
        for window in budget["windows"].as_array().into_iter().flatten() {
            let (name, at) = (cell(&budget["name"]), cell(&window["window"]));
            let is_some = |figure: &str| is_amount(&window[format!("{figure}_{unit}")]);
            if is_some("suspense") {
                let held = cell(&window[format!("suspense_{unit}")]);
                let found = format!("budget {name} ({at}): {held} {unit} is held for silent nodes");
                wrong
                    .push((found, "start those nodes; if they are gone: bursar budgets write-off"));
            }
            if budget["mode"] == "hard" && is_some("debt") {
                let debt = cell(&window[format!("debt_{unit}")]);
                let found = format!("budget {name} ({at}): {debt} {unit} was billed beyond holds");
                wrong.push((found, "compare the models' limits and prices with the provider's"));
            }
        }
    }
    Finding { what: "budgets", wrong }
}

/// Whether an amount is there and not zero, as a number or as dollars.
fn is_amount(value: &Value) -> bool {
    cell(value).bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

fn webhooks(webhooks: &[Value]) -> Finding {
    let waits = |webhook: &&Value| webhook["waiting"].as_u64().is_some_and(|count| count > 0);
    let wrong = webhooks.iter().filter(waits).map(|webhook| {
        let found = format!("{} events wait for {}", webhook["waiting"], cell(&webhook["name"]));
        (found, "bursar webhooks test says why it does not take them")
    });
    Finding { what: "webhooks", wrong: wrong.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(finding: &Finding) -> Vec<&str> {
        finding.wrong.iter().map(|(found, _)| found.as_str()).collect()
    }

    #[test]
    fn nothing_is_wrong_with_a_cluster_that_is_well() {
        let chart = Chart {
            status: json!({"node": {"checks": [{"name": "joined", "ok": true}]},
                "cluster": {"quorum_ok": true, "voters": ["1", "2", "3"], "warnings": []}}),
            members: json!({"items": [{"label": "a", "state": "live", "version": "1"}]}),
            providers: json!({"items": [{"name": "up", "enabled": true}]}),
            doors: json!({"items": [{"provider": "up", "passed_over": false}]}),
            budgets: json!({"items": [{"name": "b", "unit": "usd", "mode": "hard",
                "windows": [{"window": "day", "suspense_usd": "0.00", "debt_usd": "0.00"}]}]}),
            webhooks: json!({"items": [{"name": "ops", "waiting": 0}]}),
        };
        let findings = examine(&chart);
        assert!(findings.iter().all(|finding| finding.wrong.is_empty()));
        assert_eq!(findings.iter().flat_map(rows).count(), findings.len());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let silent = json!({"label": "b", "state": "silent", "version": "2"});
        let live = json!({"label": "a", "state": "live", "version": "1"});
        let expected = ["node b is silent", "nodes run different versions: 1, 2"];
        assert_eq!(found(&members(&[live, silent])), expected);
        let door = json!({"provider": "up", "credential": "main", "passed_over": true, "failures_in_a_row": 3});
        let expected = [
            "no provider is enabled",
            "provider up, credential main: passed over after 3 failures",
        ];
        assert_eq!(found(&providers(&[], &[door])), expected);
        let window = json!({"window": "never", "suspense_usd": "0.000000001", "debt_usd": "0.00"});
        let budget = json!({"name": "b", "unit": "usd", "mode": "hard", "windows": [window]});
        let expected = ["budget b (never): 0.000000001 usd is held for silent nodes"];
        assert_eq!(found(&budgets(&[budget])), expected);
        let two = json!({"quorum_ok": false, "voters": ["1", "2"], "warnings": ["odd"]});
        assert_eq!(cluster(&two).wrong.len(), 3);
        assert_eq!(found(&webhooks(&[json!({"name": "ops", "waiting": 2})])).len(), 1);
    }
}
