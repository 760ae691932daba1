//! The program's own commands against a real node.

use super::solo::Solo;
use serde_json::Value;
use std::process::Output;
use tokio::process::Command;

pub(super) async fn bursar(solo: &Solo, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bursar"))
        .args(arguments)
        .env("BURSAR_ADMIN_URL", solo.admin_url())
        .env("BURSAR_ADMIN_TOKEN", solo.running.admin_token.expose())
        .env("UPSTREAM_KEY", "sk-upstream-secret")
        .output()
        .await
        .unwrap()
}

pub(super) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(super) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs a command that must work; its standard output.
async fn done(solo: &Solo, line: &str) -> String {
    let arguments: Vec<&str> = line.split(' ').collect();
    let output = bursar(solo, &arguments).await;
    assert!(output.status.success(), "{line}: {}", err(&output));
    out(&output)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sets_a_gateway_up_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let put = "providers put openai --base-url https://api.openai.com/v1 --secret-env UPSTREAM_KEY --model m=1,4";
    assert!(done(&solo, put).await.contains("https://api.openai.com/v1"));
    done(&solo, "aliases put fast openai/m=3").await;
    done(&solo, "budgets put team --usd 12.5 --window month").await;
    let made = done(&solo, "keys create app --budgets team --models fast").await;
    let key = made.lines().last().unwrap();
    assert_eq!(solo.call_with(key).await.0, 200);

    let updated = done(&solo, "keys update app --requests-per-minute 7 -o json").await;
    let updated: Value = serde_json::from_str(&updated).unwrap();
    assert_eq!(updated["limits"]["requests_per_minute"], 7);
    assert_eq!(updated["models"][0], "fast");

    let budgets = done(&solo, "budgets list").await;
    assert!(budgets.starts_with("NAME  WINDOW  UNIT  LIMIT  SPENT"), "{budgets}");
    assert!(budgets.contains("team  month   usd   12.50  0.00"), "{budgets}");
    let given_up = done(&solo, "budgets write-off team --reason x --usd 1 --dry-run").await;
    assert!(given_up.contains("team  month   usd   12.50"), "{given_up}");
    assert!(done(&solo, "models list").await.contains("operator"));
    assert!(done(&solo, "cluster members").await.contains("leader"));
    assert!(done(&solo, "status").await.contains("ready     yes"));
    let yaml = done(&solo, "aliases show fast -o yaml").await;
    assert!(yaml.contains("provider: openai"), "{yaml}");
    // Without a secret the provider keeps the one it has.
    done(&solo, "providers put openai --base-url https://api.openai.com/v1 --model m=1,4").await;
    let shown = done(&solo, "providers show openai -o json").await;
    assert!(shown.contains("\"set\": true") && !shown.contains("sk-upstream-secret"), "{shown}");
    done(&solo, "keys revoke app").await;
    assert_eq!(solo.call_with(key).await.0, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_say_what_to_do_and_set_the_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let missing = bursar(&solo, &["keys", "rotate", "nobody"]).await;
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(err(&missing), "error: there is no key \"nobody\"\n");
    let unbudgeted = bursar(&solo, &["keys", "create", "a", "--budgets", "b"]).await;
    assert_eq!(unbudgeted.status.code(), Some(1));
    let expected = "error: budgets: there is no budget \"b\"\ncreate the budget first\n";
    assert_eq!(err(&unbudgeted), expected);
    let usage = bursar(&solo, &["budgets", "put", "x"]).await;
    assert_eq!(usage.status.code(), Some(2));
    assert!(err(&usage).contains("--usd"), "{}", err(&usage));
    let stranger = bursar(&solo, &["status", "--token", "wrong"]).await;
    assert_eq!(stranger.status.code(), Some(1));
    assert!(err(&stranger).contains("this needs the admin token"), "{}", err(&stranger));
    let nowhere = bursar(&solo, &["status", "--url", "http://127.0.0.1:1"]).await;
    assert!(err(&nowhere).contains("is it running? --url says where it is"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sets_tenants_up_and_moves_money_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    done(&solo, "budgets put red-month --usd 50 --window month --time-zone Europe/Berlin").await;
    done(&solo, "budgets put each --usd 5 --window rolling:24h --per user --thresholds 50,100")
        .await;
    done(&solo, "customers put acme").await;
    done(&solo, "teams put red --customer acme --budgets red-month --label env=dev").await;
    done(&solo, "users put ann --team red").await;
    done(&solo, "selectors put dev --label env=dev --budgets each").await;
    done(&solo, "profiles put basic --models all --requests-per-minute 9").await;
    let made = done(&solo, "keys create laptop --user ann --profile basic --tags batch").await;
    assert!(made.contains("user ann"), "{made}");
    // What the profile owns comes back with an update and is no change.
    done(&solo, "keys update laptop --label host=a").await;
    assert!(done(&solo, "teams list").await.contains("red   acme      -     red-month  env=dev"));
    assert!(done(&solo, "selectors show dev -o yaml").await.contains("env: dev"));

    let until = "--until 2100-01-01T00:00:00Z --reason launch --operation t1";
    let line = format!("budgets increase red-month --usd 7.5 {until}");
    assert!(done(&solo, &line).await.contains("57.50"));
    assert!(done(&solo, &line).await.contains("57.50"));
    let audit = done(&solo, "audit list").await;
    assert_eq!(audit.lines().count(), 2, "{audit}");
    assert!(audit.contains("api:admin") && audit.contains("launch"), "{audit}");
    assert_eq!(done(&solo, "budgets instances each -o csv").await.lines().count(), 1);

    let put = "webhooks put pager --to http://127.0.0.1:9/ --allow-private-network";
    assert!(done(&solo, put).await.lines().last().unwrap().starts_with("whsec_"));
    let test = bursar(&solo, &["webhooks", "test", "pager"]).await;
    assert_eq!(test.status.code(), Some(1), "{test:?}");
    assert!(err(&test).contains("not delivered"), "{test:?}");
}
