//! A network namespace for each node, joined by a bridge, and rules by which a node hears less.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};

use super::ground::Ground;
use super::run::line;

/// What a node does not hear. It is dropped where it arrives, so that one direction may fail alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deaf {
    /// Whose ears.
    pub node: usize,
    /// To whom; `None`: to everybody, callers and providers among them.
    pub to: Option<usize>,
    /// To which packets.
    pub packets: Packets,
    /// Part of these packets that is dropped, in percent.
    pub percent: u8,
}

/// Which packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packets {
    /// Any.
    All,
    /// Gossip.
    Udp,
    /// Consensus.
    Tcp,
}

impl Deaf {
    /// Between two nodes, one way, all of it.
    pub fn fully(node: usize, to: usize) -> Deaf {
        Deaf { node, to: Some(to), packets: Packets::All, percent: 100 }
    }

    /// The rule, without what is done with it.
    fn rule(&self) -> String {
        let from = self.to.map(|to| format!("-s {} ", Ground::Namespaces.node_address(to)));
        let packets = match self.packets {
            Packets::All => "",
            Packets::Udp => "-p udp ",
            Packets::Tcp => "-p tcp ",
        };
        let chance = match self.percent {
            100.. => String::new(),
            percent => format!("-m statistic --mode random --probability 0.{percent:02} "),
        };
        format!("INPUT {}{packets}{chance}-j DROP", from.unwrap_or_default())
    }
}

/// The name of a node's network.
pub(super) fn name(node: usize) -> String {
    format!("node-{}", node + 1)
}

/// Makes a bridge and a network for each node.
pub(super) async fn build(nodes: usize) -> Result<()> {
    let own: Ipv4Addr = Ground::Namespaces.own_address();
    // Names of networks are files: these shall go with the run.
    line("mkdir -p /run/netns").await?;
    line("mount -t tmpfs none /run/netns").await?;
    line("ip link set lo up").await?;
    line("ip link add bridge type bridge").await?;
    line(&format!("ip addr add {own}/24 dev bridge")).await?;
    line("ip link set bridge up").await?;
    for node in 0..nodes {
        let (name, address) = (name(node), Ground::Namespaces.node_address(node));
        line(&format!("ip netns add {name}")).await?;
        line(&format!("ip link add to-{name} type veth peer name eth0 netns {name}")).await?;
        line(&format!("ip link set to-{name} master bridge up")).await?;
        line(&format!("ip -n {name} addr add {address}/24 dev eth0")).await?;
        line(&format!("ip -n {name} link set eth0 up")).await?;
        line(&format!("ip -n {name} link set lo up")).await?;
    }
    Ok(())
}

/// Makes a node deaf.
pub(super) async fn deafen(deaf: &Deaf) -> Result<()> {
    iptables(deaf.node, &format!("-A {}", deaf.rule())).await.map(drop)
}

/// Undoes it.
pub(super) async fn restore(deaf: &Deaf) -> Result<()> {
    iptables(deaf.node, &format!("-D {}", deaf.rule())).await.map(drop)
}

/// How many packets the rules of a node have dropped since they were set.
pub(super) async fn dropped(node: usize) -> Result<u64> {
    let table = iptables(node, "-nvxL INPUT").await?;
    let counts = table.lines().filter(|line| line.contains("DROP"));
    let counts = counts.map(|line| {
        let first = line.split_whitespace().next().and_then(|count| count.parse::<u64>().ok());
        first.with_context(|| format!("no count in {line}"))
    });
    counts.sum()
}

async fn iptables(node: usize, what: &str) -> Result<String> {
    line(&format!("ip netns exec {} iptables -w {what}", name(node))).await
}
