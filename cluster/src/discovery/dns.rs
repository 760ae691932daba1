//! A name with one or many addresses: `bursar.example.net:7946`, looked up anew each time.

use super::Discovery;
use futures_util::future::BoxFuture;
use std::net::SocketAddr;

pub(super) struct Dns;

impl Discovery for Dns {
    fn name(&self) -> &'static str {
        "dns"
    }

    fn claims(&self, seed: &str) -> bool {
        let Some((host, port)) = seed.rsplit_once(':') else {
            return false;
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !host.is_empty() && host.chars().all(is_name) && port.parse::<u16>().is_ok()
    }

    fn find<'a>(&'a self, seed: &'a str) -> BoxFuture<'a, std::io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host(seed).await?.collect()) })
    }
}
