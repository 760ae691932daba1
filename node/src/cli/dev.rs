//! `bursar dev`: a whole cluster on this machine, with a simulated provider and a key that works.
//!
//! The nodes are real processes of this very program, and so is the simulated provider; what is started
//! here stops with it, also when it is killed.

mod children;
mod facts;
mod layout;
mod setup;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

pub use children::die_with_parent;
use children::{Children, progress};
use facts::Facts;
use layout::Layout;

use crate::simulator::Prices;

/// Starts a cluster, a simulated provider and a virtual key on this machine, and prints how to use them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  bursar dev                                    three nodes, simulated provider, a key with a $1 budget
  bursar dev --nodes 1 --data-dir ./dev-data    one node whose state survives a restart
  bursar dev --upstream https://api.openai.com/v1 --upstream-key \"$OPENAI_API_KEY\" --upstream-models gpt-4o-mini
  bursar dev -o json > facts.json               the same facts as one JSON object, once all is ready

Ctrl-C stops everything it started. SIGHUP restarts the nodes one after another.")]
pub struct Dev {
    /// How many nodes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=9))]
    pub nodes: u16,
    /// Any OpenAI-compatible upstream in the place of the simulated provider, up to its version segment.
    #[arg(long, value_name = "URL")]
    pub upstream: Option<String>,
    /// API key of the upstream.
    #[arg(long, requires = "upstream", env = "BURSAR_UPSTREAM_KEY", hide_env_values = true)]
    pub upstream_key: Option<String>,
    /// Models of the upstream, separated by commas. Without any, the upstream is asked.
    #[arg(long, requires = "upstream", value_delimiter = ',', value_name = "MODELS")]
    pub upstream_models: Vec<String>,
    /// Dollars per million input and output tokens. Without it the simulated provider takes 1,4, and for
    /// an upstream the built-in catalog is asked; what it does not know is refused.
    #[arg(long, value_name = "IN,OUT")]
    pub price_per_mtok: Option<Prices>,
    /// Budget of the key, in dollars. One, unless told otherwise.
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub budget_usd: Option<String>,
    /// Where all state is kept. Without it, in a directory that is removed at the end.
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// First of the ports to use, ten for each node. Without it, free ones.
    #[arg(long)]
    pub base_port: Option<u16>,
    /// How long a node that is asked to leave goes on serving, for a balancer to notice.
    #[arg(long, value_name = "SPAN", default_value = "0s")]
    pub drain_delay: String,
    /// A program to run the nodes under, such as a profiler: put before their command lines.
    #[arg(long, hide = true, default_value = "", value_name = "COMMAND")]
    pub node_wrapper: String,
    /// What is printed on standard output.
    #[arg(short, long, default_value = "text", value_enum)]
    pub output: Output,
}

/// What is printed once all is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people: addresses, secrets and two snippets to paste.
    Text,
    /// One JSON object.
    Json,
}

/// An amount in dollars, kept as it was written.
fn dollars(text: &str) -> Result<String, String> {
    text.parse::<api::admin::Usd>().map(|_| text.to_owned())
}

impl Dev {
    /// Starts everything, prints the facts, and waits for SIGINT or SIGTERM.
    pub fn run(self) -> Result<()> {
        // On this thread: what is started dies with the thread that started it.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.start_and_wait())
    }

    async fn start_and_wait(self) -> Result<()> {
        let mut children = Children::new(&self.node_wrapper);
        let layout = Layout::prepare(&self)?;
        let (root, temporary) = (layout.root.clone(), layout.temporary);
        let outcome = tokio::select! {
            ready = self.start(layout, &mut children) => ready,
            stopped = stop_asked() => stopped.and_then(|()| bail!("stopped before all was ready")),
        };
        let outcome = match outcome {
            Ok(running) => self.show_and_wait(&running, &mut children).await,
            Err(error) => Err(error),
        };
        progress("stopping; once more to stop at once");
        tokio::select! {
            () = children.stop() => {}
            again = stop_asked() => { again?; children.kill().await; }
        }
        match &outcome {
            Err(_) => progress(&format!("logs are in {}", root.display())),
            Ok(()) if temporary => layout::remove(&root),
            Ok(()) => {}
        }
        outcome
    }

    async fn start(&self, mut layout: Layout, children: &mut Children) -> Result<Running> {
        if self.upstream.is_none() {
            progress("starting the simulated provider");
            let price = self.price_per_mtok.unwrap_or_default();
            children.start_simulator(&layout, price).await?;
        }
        for node in &layout.nodes {
            progress(&format!("starting {} on {}", node.name, node.base_url()));
            children.start_node(node)?;
        }
        let setup = setup::Setup::new(&layout)?;
        setup.wait_for_one_cluster(&layout, children).await?;
        let provider = setup.provider(self, &layout).await?;
        let virtual_key = setup.key(self.budget_usd.as_deref(), &mut layout).await?;
        setup.wait_for_key(&layout, &virtual_key).await?;
        let facts = Facts::new(&layout, children, virtual_key, provider)?;
        Ok(Running { layout, setup, facts })
    }

    async fn show_and_wait(&self, running: &Running, children: &mut Children) -> Result<()> {
        match self.output {
            Output::Text => running.facts.print_text()?,
            Output::Json => running.facts.print_json()?,
        }
        let mut restart = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
        let stop = stop_asked();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                stopped = &mut stop => return stopped,
                ended = children.next_end() => match ended {
                    Some(end) => progress(&end),
                    None => bail!("every node has ended"),
                },
                _ = restart.recv() => tokio::select! {
                    stopped = &mut stop => return stopped,
                    restarted = running.restart_in_turn(children) => restarted?,
                },
            }
        }
    }
}

/// A cluster that is ready.
struct Running {
    layout: Layout,
    setup: setup::Setup,
    facts: Facts,
}

impl Running {
    /// Restarts the nodes one after another: each leaves politely and is ready again before the next goes.
    async fn restart_in_turn(&self, children: &mut Children) -> Result<()> {
        for node in &self.layout.nodes {
            progress(&format!("restarting {}", node.name));
            children.stop_node(&node.name).await;
            children.start_node(node)?;
            self.setup.wait_until_ready(node, &self.layout, children).await?;
        }
        progress("all nodes have been restarted");
        Ok(())
    }
}

/// Waits for SIGINT or SIGTERM.
pub(super) async fn stop_asked() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
