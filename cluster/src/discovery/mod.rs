//! Ways to find the first other node, one file each.
//!
//! A seed is a text; the first method in [`ALL`] that claims it looks it up. What is found is only
//! greeted: who is a member is decided elsewhere.

mod dns;
mod fixed;

use futures_util::future::{BoxFuture, join_all};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use thiserror::Error;
use tracing::debug;

/// One way to find nodes.
pub(crate) trait Discovery: Sync {
    /// The file's name.
    fn name(&self) -> &'static str;
    /// Whether this seed is for it. Pure.
    fn claims(&self, seed: &str) -> bool;
    /// The gossip addresses the seed stands for at this moment.
    fn find<'a>(&'a self, seed: &'a str) -> BoxFuture<'a, std::io::Result<Vec<SocketAddr>>>;
}

/// Every method, the most particular first.
pub(crate) const ALL: &[&dyn Discovery] = &[&fixed::Fixed, &dns::Dns];

/// Why a seed is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("seed `{0}` is no host:port, for example 10.0.0.7:7946 or bursar.example.net:7946")]
pub struct SeedError(String);

/// A seed and how to look it up.
#[derive(Clone)]
pub(crate) struct Seed {
    text: String,
    method: &'static dyn Discovery,
}

/// Reads seeds.
///
/// # Errors
/// The first text that no method claims.
pub(crate) fn parse(texts: &[String]) -> Result<Vec<Seed>, SeedError> {
    texts
        .iter()
        .map(|text| {
            let text = text.trim().to_owned();
            let method = ALL.iter().find(|method| method.claims(&text));
            match method {
                Some(method) => Ok(Seed { text, method: *method }),
                None => Err(SeedError(text)),
            }
        })
        .collect()
}

/// Looks all seeds up; one that cannot be found now is left out.
pub(crate) async fn resolve(seeds: &[Seed]) -> BTreeSet<SocketAddr> {
    let lookups = seeds.iter().map(|seed| async move {
        let method = seed.method.name();
        seed.method.find(&seed.text).await.unwrap_or_else(|error| {
            debug!(seed = seed.text, method, %error, "seed not found");
            Vec::new()
        })
    });
    join_all(lookups).await.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/discovery");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|file| file.strip_suffix(".rs").map(str::to_owned))
            .filter(|name| name != "mod")
            .collect();
        let mut listed: Vec<String> = ALL.iter().map(|method| method.name().to_owned()).collect();
        files.sort();
        listed.sort();
        assert_eq!(files, listed);
    }

    #[test]
    fn a_seed_goes_to_the_method_that_claims_it() {
        let method = |seed: &str| parse(&[seed.to_owned()]).map(|seeds| seeds[0].method.name());
        assert_eq!(method("10.0.0.7:7946"), Ok("fixed"));
        assert_eq!(method(" [::1]:7946 "), Ok("fixed"));
        assert_eq!(method("bursar.example.net:7946"), Ok("dns"));
        for bad in ["", "bursar", ":7946", "bursar:", "bursar:x", "bursar:99999", "a b:1"] {
            assert_eq!(method(bad), Err(SeedError(bad.to_owned())));
        }
    }

    #[tokio::test]
    async fn a_name_and_an_address_are_both_found() {
        let seeds = parse(&["127.0.0.1:7001".to_owned(), "localhost:7002".to_owned()]).unwrap();
        let found = resolve(&seeds).await;
        assert!(found.contains(&"127.0.0.1:7001".parse().unwrap()));
        assert!(found.iter().any(|address| address.port() == 7002));
    }
}
