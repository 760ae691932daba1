//! `bursar health`: one request, for an image that holds no other program to make it with.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Longest wait for anything.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Most bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 16 << 10;

/// Asks a health URL and fails unless the answer is 200: for the health checks of containers.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  bursar health http://127.0.0.1:8080/readyz")]
pub struct Health {
    /// What to ask, with http:// before it.
    #[arg(default_value = "http://127.0.0.1:8080/readyz")]
    pub url: String,
}

impl Health {
    /// Asks once.
    pub fn run(self) -> Result<()> {
        let url = self.url.as_str();
        let rest = url
            .strip_prefix("http://")
            .with_context(|| format!("{url} does not begin with http://"))?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let address =
            host.to_socket_addrs()?.next().with_context(|| format!("{host} has no address"))?;
        let mut socket = TcpStream::connect_timeout(&address, TIMEOUT)
            .with_context(|| format!("cannot reach {host}"))?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        write!(socket, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        socket.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        if !answer.starts_with("HTTP/1.1 200 ") {
            bail!("{url} answered: {answer}");
        }
        Ok(())
    }
}
