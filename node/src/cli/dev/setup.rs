//! What a cluster needs before it can be used: a provider, an alias, a budget, a key.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Dev;
use super::children::{Children, progress};
use super::layout::{Layout, Node};

/// Models of the simulated provider: one to chat with, one that embeds.
pub(super) const SIMULATED_MODELS: [&str; 2] = ["sim-chat", "sim-embed"];
/// Longest wait for the nodes to be one cluster.
const CLUSTER_TIMEOUT: Duration = Duration::from_secs(60);
/// Time between two looks at the nodes.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Most models taken over from an upstream that was asked for them.
const MODELS_MAX: usize = 200;

/// A provider that is registered.
pub(super) struct Registered {
    pub(super) url: String,
    pub(super) models: Vec<String>,
}

/// A client of the first node's admin API.
pub(super) struct Setup {
    client: Client,
    admin_url: String,
    token: String,
}

impl Setup {
    pub(super) fn new(layout: &Layout) -> Result<Setup> {
        let client = Client::builder().timeout(Duration::from_secs(30)).no_proxy().build()?;
        let first = layout.nodes.first().context("a cluster has at least one node")?;
        Ok(Setup { client, admin_url: first.admin_url(), token: layout.state.admin_token.clone() })
    }

    /// Waits until every node is ready.
    pub(super) async fn wait_for_one_cluster(
        &self,
        layout: &Layout,
        children: &mut Children,
    ) -> Result<()> {
        for node in &layout.nodes {
            self.wait_until_ready(node, layout, children).await?;
            progress(&format!("{} is ready", node.name));
        }
        Ok(())
    }

    /// Waits until a node is ready, unless one ends meanwhile.
    pub(super) async fn wait_until_ready(
        &self,
        node: &Node,
        layout: &Layout,
        children: &mut Children,
    ) -> Result<()> {
        let deadline = Instant::now() + CLUSTER_TIMEOUT;
        let mut last = String::new();
        while !self.is_ready(&node.admin_url(), &mut last).await {
            children.check(layout)?;
            if Instant::now() > deadline {
                bail!("{} is not ready after {CLUSTER_TIMEOUT:?}: {last}", node.name);
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    async fn is_ready(&self, url: &str, last: &mut String) -> bool {
        match self.client.get(format!("{url}/readyz?verbose")).send().await {
            Ok(answer) if answer.status().is_success() => true,
            Ok(answer) => {
                *last = answer.text().await.unwrap_or_default();
                false
            }
            Err(error) => {
                *last = error.to_string();
                false
            }
        }
    }

    /// Registers the provider with its models, and an alias for the first: `chat`.
    pub(super) async fn provider(&self, dev: &Dev, layout: &Layout) -> Result<Registered> {
        let (name, base_url, credential) = match &dev.upstream {
            Some(url) => {
                ("upstream", url.trim_end_matches('/').to_owned(), dev.upstream_key.clone())
            }
            None => {
                let url = format!("http://{}/v1", layout.simulator_address());
                ("sim", url, Some(layout.state.simulator_key.clone()))
            }
        };
        let models = match &dev.upstream {
            None => SIMULATED_MODELS.map(str::to_owned).to_vec(),
            Some(_) if !dev.upstream_models.is_empty() => dev.upstream_models.clone(),
            Some(_) => self.models_of(&base_url, credential.as_deref()).await?,
        };
        let price = dev.price_per_mtok.or_else(|| dev.upstream.is_none().then(Default::default));
        let listed: Vec<Value> = models.iter().map(|model| model_settings(model, price)).collect();
        progress(&format!("registering the provider {name} at {base_url}"));
        let credential = credential.map(|secret| json!({"name": "dev", "secret": secret}));
        let provider = json!({
            "kind": "openai-compatible",
            "base_url": base_url,
            "credentials": credential.into_iter().collect::<Vec<_>>(),
            "models": listed,
            "allow_private_network": true,
        });
        self.write(Method::PUT, &format!("providers/{name}"), &provider).await?;
        for (alias, model) in ["chat", "embed"].iter().zip(&models) {
            let simulated = dev.upstream.is_none();
            // Nobody knows what an upstream's second model is for.
            if simulated || *alias == "chat" {
                let targets = json!({"targets": [{"provider": name, "model": model}]});
                self.write(Method::PUT, &format!("aliases/{alias}"), &targets).await?;
            }
        }
        Ok(Registered { url: base_url, models })
    }

    async fn models_of(&self, base_url: &str, credential: Option<&str>) -> Result<Vec<String>> {
        progress(&format!("asking {base_url} for its models"));
        let mut request = self.client.get(format!("{base_url}/models"));
        if let Some(credential) = credential {
            request = request.bearer_auth(credential);
        }
        let asked = async { request.send().await?.error_for_status()?.json::<Value>().await };
        let list = asked.await.with_context(|| {
            format!("cannot ask {base_url} for its models: name them with --upstream-models")
        })?;
        let names = list["data"].as_array().into_iter().flatten();
        let names =
            names.filter_map(|model| model["id"].as_str().map(str::to_owned)).take(MODELS_MAX);
        let names: Vec<String> = names.collect();
        if names.is_empty() {
            bail!("{base_url} lists no models: name them with --upstream-models");
        }
        Ok(names)
    }

    /// The key of the last run if it still works, else a new one; its budget either way.
    pub(super) async fn key(
        &self,
        budget_usd: Option<&str>,
        layout: &mut Layout,
    ) -> Result<String> {
        let known = layout.state.virtual_key.clone();
        if budget_usd.is_some() || known.is_none() {
            let limit = json!({"limit_usd": budget_usd.unwrap_or("1")});
            self.write(Method::PUT, "budgets/dev", &limit).await?;
        }
        if let Some(key) = known {
            return Ok(key);
        }
        progress("creating a virtual key");
        let made =
            self.write(Method::POST, "keys", &json!({"name": "dev", "budgets": ["dev"]})).await?;
        let key = made["key"].as_str().context("the answer holds no key")?.to_owned();
        layout.state.virtual_key = Some(key.clone());
        layout.save()?;
        Ok(key)
    }

    /// Waits until every node knows the key.
    pub(super) async fn wait_for_key(&self, layout: &Layout, key: &str) -> Result<()> {
        let deadline = Instant::now() + CLUSTER_TIMEOUT;
        for node in &layout.nodes {
            loop {
                let asked =
                    self.client.get(format!("{}/v1/models", node.base_url())).bearer_auth(key);
                let status = match asked.send().await {
                    Ok(answer) if answer.status().is_success() => break,
                    Ok(answer) => answer.status().to_string(),
                    Err(error) => error.to_string(),
                };
                if Instant::now() > deadline {
                    bail!("{} does not accept the virtual key: {status}", node.name);
                }
                sleep(LOOK_EVERY).await;
            }
        }
        Ok(())
    }

    async fn write(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}/admin/v1/{path}", self.admin_url);
        let request = self.client.request(method, &url).bearer_auth(&self.token).json(body);
        let answer = request.send().await.with_context(|| format!("cannot reach {url}"))?;
        let status = answer.status();
        let text = answer.text().await?;
        if !matches!(status, StatusCode::OK | StatusCode::CREATED) {
            bail!("{url} answered {status}: {text}");
        }
        Ok(serde_json::from_str(&text)?)
    }
}

fn model_settings(name: &str, price: Option<crate::simulator::Prices>) -> Value {
    match price {
        None => json!({"name": name}),
        Some(price) => json!({"name": name, "price": {
            "input_nano_usd_per_mtok": price.input_nano_usd_per_mtok,
            "output_nano_usd_per_mtok": price.output_nano_usd_per_mtok,
        }}),
    }
}
