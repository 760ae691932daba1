//! What was heard of one node, read from the strings it says.

use chitchat::{Chitchat, NodeState};
use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;

/// The keys under which a node says things. Numbers are decimal, flags `1` or absent.
pub mod said {
    /// A name for people.
    pub const LABEL: &str = "label";
    /// Raft id, once there is one.
    pub const RAFT_ID: &str = "raft_id";
    /// Id of the cluster it belongs to, once it does.
    pub const CLUSTER_ID: &str = "cluster_id";
    /// `host:port` of its peer listener.
    pub const PEER_ADDR: &str = "peer_addr";
    /// Flag: no Raft state on its disk.
    pub const PRISTINE: &str = "pristine";
    /// Number of founders it waits for.
    pub const EXPECT: &str = "expect";
    /// Flag: it is leaving.
    pub const DRAINING: &str = "draining";
    /// Flag: it serves requests.
    pub const READY: &str = "ready";
    /// Log index it has applied.
    pub const APPLIED: &str = "applied";
    /// Its wall clock, in milliseconds since 1970. Old by the time it is heard.
    pub const CLOCK_MS: &str = "clock_ms";
    /// Prefix of what operators may see: `public.base_url`.
    pub const PUBLIC: &str = "public.";
    /// Value of a flag that is up.
    pub const YES: &str = "1";
    /// Value of a flag that was up and is down.
    pub const NO: &str = "0";
}

/// What another node says of itself, and whether it is still heard. What was not said is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Identity of its data directory.
    pub uuid: String,
    /// Its present life.
    pub incarnation: u64,
    /// Where it gossips.
    pub gossip_addr: SocketAddr,
    /// A name for people.
    pub label: String,
    /// Its Raft id.
    pub raft_id: Option<u64>,
    /// The cluster it belongs to.
    pub cluster_id: Option<String>,
    /// `host:port` of its peer listener.
    pub peer_addr: Option<String>,
    /// No Raft state on its disk.
    pub pristine: bool,
    /// Number of founders it waits for.
    pub expect: Option<u32>,
    /// It is leaving.
    pub draining: bool,
    /// It serves requests.
    pub ready: bool,
    /// Log index it had applied.
    pub applied_index: u64,
    /// Its wall clock when it said so, in milliseconds since 1970.
    pub clock_ms: Option<u64>,
    /// What operators may see: `base_url`, `admin_url`, `version`.
    pub public: BTreeMap<String, String>,
    /// Heard within the failure detector's patience.
    pub live: bool,
}

impl Heard {
    fn read(state: &NodeState, live: bool) -> Heard {
        let id = state.chitchat_id();
        let text = |key: &str| state.get(key).map(str::to_owned);
        let flag = |key: &str| state.get(key) == Some(said::YES);
        let public = state
            .key_values()
            .filter_map(|(key, value)| Some((key.strip_prefix(said::PUBLIC)?, value)))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        Heard {
            uuid: id.node_id.to_string(),
            incarnation: id.generation_id,
            gossip_addr: id.gossip_advertise_addr,
            label: text(said::LABEL).unwrap_or_default(),
            raft_id: number(state, said::RAFT_ID),
            cluster_id: text(said::CLUSTER_ID),
            peer_addr: text(said::PEER_ADDR),
            pristine: flag(said::PRISTINE),
            expect: number(state, said::EXPECT),
            draining: flag(said::DRAINING),
            ready: flag(said::READY),
            applied_index: number(state, said::APPLIED).unwrap_or(0),
            clock_ms: number(state, said::CLOCK_MS),
            public,
            live,
        }
    }
}

fn number<N: std::str::FromStr>(state: &NodeState, key: &str) -> Option<N> {
    state.get(key)?.parse().ok()
}

/// Every other node, one per uuid: its newest life. In order of uuid.
pub(super) fn peers(chitchat: &Chitchat) -> Vec<Heard> {
    let live: HashSet<_> = chitchat.live_nodes().collect();
    let own = chitchat.self_chitchat_id();
    let mut newest: BTreeMap<String, Heard> = BTreeMap::new();
    for (id, state) in chitchat.node_states() {
        if id.node_id == own.node_id {
            continue;
        }
        let heard = Heard::read(state, live.contains(id));
        let known = newest.get(&heard.uuid);
        if known.is_none_or(|known| known.incarnation < heard.incarnation) {
            newest.insert(heard.uuid.clone(), heard);
        }
    }
    newest.into_values().collect()
}
