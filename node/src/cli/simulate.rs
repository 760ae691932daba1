//! `bursar simulate`: the simulated provider as a process of its own.

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::{Context, Result};

use crate::simulator::{Behaviour, Prices, Settings, Simulator};

/// Runs a simulated provider: it speaks OpenAI's dialect, bills in books of its own (`GET /_sim/billed`)
/// and misbehaves on request.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  bursar simulate --listen 127.0.0.1:4010
  bursar simulate --price-per-mtok 0.15,0.60 --latency-ms 300 --tokens-per-second 80
  curl -X POST http://127.0.0.1:4010/_sim/behave -d '{\"status\":429,\"times\":10}'
  curl http://127.0.0.1:4010/_sim/billed

A prompt that holds sim{status=500}, sim{cut_after=3}, sim{latency_ms=200} and the like is answered that way.")]
pub struct Simulate {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// API key it accepts; may be repeated. Without one it accepts any.
    #[arg(long, env = "BURSAR_SIMULATOR_API_KEY", hide_env_values = true)]
    pub api_key: Vec<String>,
    /// Models it serves, separated by commas. Without any it serves every name.
    #[arg(long, value_delimiter = ',')]
    pub models: Vec<String>,
    /// Dollars per million input and output tokens.
    #[arg(long, value_name = "IN,OUT", default_value = "1,4")]
    pub price_per_mtok: Prices,
    /// Output tokens of an answer, unless the caller's limit is lower.
    #[arg(long, default_value_t = 32)]
    pub output_tokens: u64,
    /// Wait before each answer, in milliseconds.
    #[arg(long)]
    pub latency_ms: Option<u64>,
    /// Pace of streams. Without it they come as fast as they are read.
    #[arg(long)]
    pub tokens_per_second: Option<u64>,
}

impl Simulate {
    /// Runs until SIGINT or SIGTERM.
    pub fn run(self) -> Result<()> {
        let listen = self.listen;
        let simulator = Simulator::start(self.settings())
            .with_context(|| format!("cannot listen on {listen}"))?;
        // One line on standard output, so that a script can wait for it and read the port.
        writeln!(std::io::stdout(), "{}", simulator.base_url())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(super::dev::stop_asked())
    }

    fn settings(self) -> Settings {
        Settings {
            listen: self.listen,
            api_keys: self.api_key,
            models: self.models,
            prices: self.price_per_mtok,
            output_tokens: self.output_tokens,
            behaviour: Behaviour {
                latency_ms: self.latency_ms,
                tokens_per_second: self.tokens_per_second.map(|pace| pace.max(1)),
                ..Behaviour::default()
            },
        }
    }
}
