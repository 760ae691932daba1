//! What a cluster needs before it is called: a provider, an alias, budgets, keys; and how fast the machine
//! is.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::crowd::{Addresses, Crowd, Pressure};
use super::estate::{Estate, GAUGE, Key};
use super::shun::Shun;
use crate::cluster::{Cluster, looks};
use crate::dice::Dice;
use crate::history::History;
use crate::http::Call;
use crate::provider::{API_KEY, Charge, INPUT_NANO_USD, OUTPUT_NANO_USD, Provider};

/// How long the speed of the machine is measured.
const MEASURED: Duration = Duration::from_secs(2);
/// Longest wait for every node to know every key.
const KNOWN_WITHIN: Duration = Duration::from_secs(20);

/// Registers the provider, and an alias for its model.
///
/// # Errors
///
/// The cluster refuses.
pub async fn provider(cluster: &Cluster, provider: &Provider) -> Result<()> {
    let settings = json!({
        "kind": "openai-compatible",
        "base_url": format!("http://{}/v1", provider.address),
        "credentials": [{"name": "live", "secret": API_KEY}],
        "allow_private_network": true,
        "models": [{"name": "m", "price": {
            "input_nano_usd_per_mtok": INPUT_NANO_USD * 1_000_000,
            "output_nano_usd_per_mtok": OUTPUT_NANO_USD * 1_000_000,
        }}],
    });
    cluster.admin(0, Call::new("PUT", "/admin/v1/providers/live").body(settings)).await?;
    let alias = json!({"targets": [{"provider": "live", "model": "m"}]});
    cluster.admin(0, Call::new("PUT", "/admin/v1/aliases/chat").body(alias)).await.map(drop)
}

/// Makes the budgets and keys of an estate, from this key on. Answers the new keys' secrets.
///
/// # Errors
///
/// The cluster refuses.
pub async fn keys(
    cluster: &Cluster,
    estate: &mut Estate,
    from_key: usize,
    history: &History,
) -> Result<Vec<String>> {
    for budget in estate.budgets() {
        let settings = estate.settings(&budget);
        let before_ns = history.now_ns();
        let put = Call::new("PUT", format!("/admin/v1/budgets/{budget}")).body(settings);
        cluster.admin(0, put).await.with_context(|| format!("budget {budget}"))?;
        let made_ns = (before_ns, history.now_ns());
        let windows = estate.accounts.iter_mut().filter(|account| account.budget == budget);
        windows.for_each(|account| account.made_ns = made_ns);
    }
    let mut secrets = Vec::new();
    for key in &estate.keys[from_key..] {
        let settings = json!({"name": key.name, "budgets": key.budgets});
        let call = Call::new("POST", "/admin/v1/keys").body(settings);
        let told = cluster.admin(0, call).await.with_context(|| format!("key {}", key.name))?;
        let secret = told.body["key"].as_str().context("the answer holds no key")?;
        secrets.push(secret.to_owned());
    }
    for secret in &secrets {
        known_everywhere(cluster, secret).await?;
    }
    Ok(secrets)
}

async fn known_everywhere(cluster: &Cluster, secret: &str) -> Result<()> {
    let deadline = Instant::now() + KNOWN_WITHIN;
    let call = Call::new("GET", "/v1/models").bearer(secret);
    let doors = cluster.doors();
    for node in cluster.members() {
        let mut looks = looks();
        loop {
            if call.send(doors[node].data, KNOWN_WITHIN).await.is_ok_and(|told| told.status == 200)
            {
                break;
            }
            ensure!(Instant::now() < deadline, "node {node} does not know a key");
            looks.tick().await;
        }
    }
    Ok(())
}

/// Has callers ask with a key that nothing limits. Answers what the provider bills in a second.
///
/// # Errors
///
/// The cluster refuses, or answers nobody.
pub async fn speed(
    cluster: &Cluster,
    provider: &Provider,
    history: &Arc<History>,
    pressure: Pressure,
    dice: &mut Dice,
) -> Result<(Charge, Addresses)> {
    let gauge = Key { name: "gauge".to_owned(), budgets: Vec::new(), weight: 1 };
    let mut estate = Estate { accounts: Vec::new(), keys: vec![gauge] };
    let secrets = keys(cluster, &mut estate, GAUGE, history).await?;
    let shun = Arc::new(Shun::new(cluster.size()));
    shun.there_are(&cluster.members());
    let doors: Vec<_> = cluster.doors().into_iter().map(|doors| doors.data).collect();
    let next_id = Arc::default();
    let addresses = Addresses { secrets, doors, shun, next_id };
    let at_work = Crowd::send_out(
        estate,
        addresses.clone(),
        Arc::clone(history),
        pressure,
        &mut dice.split(),
    )?;
    // Connections are made first.
    sleep(MEASURED / 2).await;
    let before = provider.books.sum(GAUGE);
    sleep(MEASURED).await;
    let after = provider.books.sum(GAUGE);
    at_work.come_home()?;
    let seconds = i64::try_from(MEASURED.as_secs()).context("seconds")?;
    let per_s = Charge {
        nano_usd: (after.nano_usd - before.nano_usd) / seconds,
        tokens: (after.tokens - before.tokens) / seconds,
        requests: (after.requests - before.requests) / seconds,
    };
    ensure!(per_s.requests > 10, "only {} requests a second", per_s.requests);
    Ok((per_s, addresses))
}
