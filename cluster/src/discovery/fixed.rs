//! A fixed address: `10.0.0.7:7946`.

use super::Discovery;
use futures_util::future::{BoxFuture, FutureExt, ready};
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

pub(super) struct Fixed;

impl Discovery for Fixed {
    fn name(&self) -> &'static str {
        "fixed"
    }

    fn claims(&self, seed: &str) -> bool {
        seed.parse::<SocketAddr>().is_ok()
    }

    fn find<'a>(&'a self, seed: &'a str) -> BoxFuture<'a, std::io::Result<Vec<SocketAddr>>> {
        let found = seed.parse().map(|address| vec![address]);
        ready(found.map_err(|error| Error::new(ErrorKind::InvalidInput, error))).boxed()
    }
}
