//! What strikes the nodes: one file for each way. A stroke does its harm, lets it last, and undoes it.

mod kill;
mod pause;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Result;

use crate::cluster::Cluster;
use crate::dice::Dice;

/// A stroke on its way: what was done, in words.
pub type Stroke<'a> = Pin<Box<dyn Future<Output = Result<String>> + 'a>>;

/// Something that strikes.
#[derive(Clone, Copy, Debug)]
pub struct Nemesis {
    /// Begins with the name of its file.
    pub name: &'static str,
    /// Strikes once. How hard and how long the dice say.
    pub strike: for<'a> fn(&'a mut Cluster, &'a mut Dice) -> Stroke<'a>,
}

/// All of them.
pub const ALL: [Nemesis; 5] = [kill::ONE, kill::LEADER, kill::EVERYBODY, pause::ONE, pause::LEADER];

/// Lets time pass: what a stroke does lasts.
async fn last(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// The leader, else anybody.
async fn leader_or_any(cluster: &Cluster, dice: &mut Dice) -> usize {
    match cluster.leader().await {
        Some(leader) => leader,
        None => dice.below(cluster.size()),
    }
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn every_file_of_this_folder_is_on_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/nemesis");
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            let name = file.file_stem().unwrap().to_str().unwrap();
            let listed = ALL.iter().any(|nemesis| nemesis.name.split(' ').next() == Some(name));
            assert!(listed || name == "mod", "{name}");
        }
    }
}
