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
