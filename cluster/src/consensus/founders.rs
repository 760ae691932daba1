//! Who founds a cluster: a pure decision from what a pristine node hears.
//!
//! The safety of it does not rest here but on promises: every founder promises, on disk, to take part in
//! one founding only. Two sets of founders that share a member cannot both come about, so all this file
//! has to see to is that two sets drawn from one list of seeds always share one: each holds more than
//! half of the list.

use std::collections::BTreeSet;
use std::net::SocketAddr;

/// A node that belongs to no cluster and expects to found one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pristine {
    pub(crate) uuid: String,
    pub(crate) gossip_addr: SocketAddr,
    pub(crate) expect: Option<u32>,
}

/// What this node knows when it decides.
#[derive(Clone, Debug)]
pub(crate) struct Known<'a> {
    pub(crate) me: &'a str,
    pub(crate) expect: u32,
    /// Each seed's addresses; an empty list for a name that does not resolve.
    pub(crate) seeds: &'a [Vec<SocketAddr>],
    /// All pristine nodes that are live, this one included.
    pub(crate) pristine: &'a [Pristine],
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This node asks these for their promises. Uuids, sorted.
    Ask(Vec<String>),
    /// Somebody else does, or too few are there; why, for people.
    Wait(String),
}

/// Whether `expect` founders can ever hold more than half of the seeds, and whether more than one such
/// set without a common member could. Only for seeds whose addresses are all known.
pub(crate) fn guard(expect: u32, seeds: &[Vec<SocketAddr>], me: SocketAddr) -> Result<(), String> {
    let listed: BTreeSet<&SocketAddr> = seeds.iter().flatten().collect();
    let eligible = listed.len();
    if expect == 0 {
        return Err("bootstrap_expect is 0; it is the number of founders, at least 1".to_owned());
    }
    let outside = usize::from(!listed.contains(&me) && eligible > 0);
    let within = (expect as usize).saturating_sub(outside).min(eligible);
    if eligible > 0 && within * 2 <= eligible {
        return Err(format!(
            "bootstrap_expect {expect} is not more than half of the {eligible} seeds: two clusters could \
             come of one list. Expect at least {} founders, with this node's own gossip address {me} among the seeds",
            eligible / 2 + 1
        ));
    }
    Ok(())
}

/// Who founds, if enough are there.
pub(crate) fn choose(known: &Known<'_>) -> Choice {
    let expect = known.expect as usize;
    let mut able: Vec<&Pristine> =
        known.pristine.iter().filter(|node| node.expect == Some(known.expect)).collect();
    if able.len() < expect {
        return Choice::Wait(format!("{} of {expect} founders are there", able.len()));
    }
    let listed =
        |node: &Pristine| known.seeds.iter().flatten().any(|addr| *addr == node.gossip_addr);
    able.sort_by(|a, b| (!listed(a), &a.uuid).cmp(&(!listed(b), &b.uuid)));
    able.truncate(expect);
    if !holds_majority(&able, known.seeds) {
        return Choice::Wait("the founders there are not more than half of the seeds".to_owned());
    }
    let mut members: Vec<String> = able.iter().map(|node| node.uuid.clone()).collect();
    members.sort();
    match members.first() {
        Some(first) if first == known.me => Choice::Ask(members),
        Some(first) => Choice::Wait(format!("{first} asks the founders for their promises")),
        None => Choice::Wait("nobody is there".to_owned()),
    }
}

/// A seed that does not resolve counts as one that is not among the founders.
fn holds_majority(able: &[&Pristine], seeds: &[Vec<SocketAddr>]) -> bool {
    let addresses: BTreeSet<&SocketAddr> = seeds.iter().flatten().collect();
    let unresolved = seeds.iter().filter(|seed| seed.is_empty()).count();
    let eligible = addresses.len() + unresolved;
    let held: BTreeSet<_> = able.iter().map(|node| &node.gossip_addr).collect();
    eligible == 0 || held.intersection(&addresses).count() * 2 > eligible
}

/// A founder's Raft id: drawn from the cluster id, which is random, and the node's own uuid, with the top
/// bit set. Joiners' ids are log indexes and never reach it.
pub(crate) fn founder_id(cluster_id: &str, uuid: &str) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("bursar founder raft id v1");
    hasher.update(cluster_id.as_bytes());
    hasher.update(&[0]);
    hasher.update(uuid.as_bytes());
    let mut head = [0; 8];
    head.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    (u64::from_le_bytes(head) >> 2) | (1 << 63)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(n: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 7000 + n))
    }

    fn seeds(of: &[u16]) -> Vec<Vec<SocketAddr>> {
        of.iter().map(|n| vec![addr(*n)]).collect()
    }

    fn pristine(n: u16, expect: u32) -> Pristine {
        Pristine { uuid: format!("u{n}"), gossip_addr: addr(n), expect: Some(expect) }
    }

    fn asked(me: u16, expect: u32, list: &[u16], there: &[u16]) -> Option<Vec<String>> {
        let pristine: Vec<_> = there.iter().map(|n| pristine(*n, expect)).collect();
        let me = format!("u{me}");
        let choice = choose(&Known { me: &me, expect, seeds: &seeds(list), pristine: &pristine });
        match choice {
            Choice::Ask(members) => Some(members),
            Choice::Wait(_) => None,
        }
    }

    #[test]
    fn the_lowest_uuid_asks_once_enough_are_there() {
        let all = ["u1", "u2", "u3"].map(str::to_owned).to_vec();
        assert_eq!(asked(1, 3, &[1, 2, 3], &[1, 2]), None);
        assert_eq!(asked(1, 3, &[1, 2, 3], &[3, 1, 2]), Some(all));
        assert_eq!(asked(2, 3, &[1, 2, 3], &[3, 1, 2]), None);
    }

    #[test]
    fn a_node_alone_founds_a_cluster_of_one() {
        assert_eq!(asked(1, 1, &[], &[1]), Some(vec!["u1".to_owned()]));
    }

    #[test]
    fn nodes_that_expect_another_number_do_not_count() {
        let mut there = vec![pristine(1, 2), pristine(2, 3)];
        let known = |there: &[Pristine]| {
            choose(&Known { me: "u1", expect: 2, seeds: &seeds(&[1, 2]), pristine: there })
        };
        assert!(matches!(known(&there), Choice::Wait(_)));
        there[1].expect = Some(2);
        assert!(matches!(known(&there), Choice::Ask(_)));
    }

    #[test]
    fn nodes_from_the_list_come_before_lower_uuids_from_elsewhere() {
        let members = asked(4, 3, &[4, 5, 6], &[1, 4, 5, 6]).unwrap();
        assert_eq!(members, ["u4", "u5", "u6"].map(str::to_owned));
    }

    /// Every set of founders that any node may ask, whatever part of the others it sees.
    fn all_sets(nodes: u16, expect: u32, list: &[u16]) -> Vec<BTreeSet<String>> {
        let mut sets = Vec::new();
        for seen in 0_u32..(1 << nodes) {
            let there: Vec<u16> = (0..nodes).filter(|n| seen & (1 << n) != 0).collect();
            for me in &there {
                sets.extend(asked(*me, expect, list, &there).map(BTreeSet::from_iter));
            }
        }
        sets
    }

    #[test]
    fn any_two_sets_of_founders_from_one_list_share_a_member() {
        let lists: [&[u16]; 5] = [&[0], &[0, 1], &[0, 1, 2], &[0, 1, 2, 3], &[0, 1, 2, 3, 4]];
        for list in lists {
            for expect in 1..=5 {
                let sets = all_sets(6, expect, list);
                for (a, b) in sets.iter().flat_map(|a| sets.iter().map(move |b| (a, b))) {
                    assert!(!a.is_disjoint(b), "{list:?} {expect} {a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn a_list_that_could_make_two_clusters_is_refused() {
        assert!(guard(3, &seeds(&[1, 2, 3]), addr(1)).is_ok());
        assert!(guard(2, &seeds(&[1, 2, 3]), addr(1)).is_ok());
        assert!(guard(3, &seeds(&[2, 3]), addr(1)).is_ok());
        assert!(guard(3, &seeds(&[2]), addr(1)).is_ok());
        assert!(guard(1, &[], addr(1)).is_ok());
        let said = guard(2, &seeds(&[1, 2, 3, 4]), addr(1)).unwrap_err();
        assert!(said.contains("bootstrap_expect 2 is not more than half of the 4 seeds"), "{said}");
        assert!(guard(1, &seeds(&[1, 2, 3]), addr(1)).is_err());
        assert!(guard(0, &[], addr(1)).is_err());
    }

    #[test]
    fn a_seed_that_does_not_resolve_counts_against_the_majority() {
        let list = [vec![addr(1)], vec![], vec![]];
        let there = [pristine(1, 2), pristine(2, 2)];
        let choice = choose(&Known { me: "u1", expect: 2, seeds: &list, pristine: &there });
        assert!(matches!(choice, Choice::Wait(_)));
    }

    #[test]
    fn founders_ids_have_the_top_bit_set_and_differ() {
        let ids = ["a", "b"].map(|uuid| founder_id("c", uuid));
        assert!(ids.iter().all(|id| id >> 62 == 2) && ids[0] != ids[1]);
        assert_ne!(founder_id("c", "a"), founder_id("d", "a"));
    }
}
