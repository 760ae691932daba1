//! Who should vote: a pure decision of the leader, one change at a time.

use crate::config::Tuning;
use std::collections::BTreeSet;
use std::time::Duration;

/// A learner this many entries behind still counts as keeping up.
const LAG_MAX: u64 = 100;
/// A voter that was not heard for so long may be replaced at once by a node that carries its label.
const SAME_LABEL_AFTER: Duration = Duration::from_secs(3);

/// One member as the leader sees it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) id: u64,
    pub(crate) label: String,
    pub(crate) voter: bool,
    pub(crate) draining: bool,
    /// Heard in gossip, or it answers replication.
    pub(crate) live: bool,
    /// How long neither gossip nor replication heard of it.
    pub(crate) silent_for: Duration,
    /// How long it has kept within [`LAG_MAX`] of the log's end.
    pub(crate) steady_for: Duration,
}

/// The membership as the leader sees it.
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    pub(crate) me: u64,
    /// A change was left half done: two configurations are in force.
    pub(crate) joint: bool,
    pub(crate) leading_for: Duration,
    pub(crate) nodes: Vec<Seen>,
}

/// What to do about the membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Finish the change that was left half done.
    FinishJoint,
    /// Make exactly these the voters; the others stay as learners.
    SetVoters { voters: BTreeSet<u64>, why: &'static str },
    /// Remove for good a node whose place another one has taken.
    Forget { node: u64 },
}

/// The largest odd number that is at most `count`; zero for zero.
pub(crate) fn odd(count: usize) -> usize {
    if count.is_multiple_of(2) { count.saturating_sub(1) } else { count }
}

/// Whether a member this far behind counts as keeping up.
pub(crate) fn keeps_up(lag: u64) -> bool {
    lag < LAG_MAX
}

/// What the leader should do about the membership now, if anything.
pub(crate) fn next(roster: &Roster, tuning: &Tuning) -> Option<Step> {
    if roster.joint {
        return Some(Step::FinishJoint);
    }
    if roster.leading_for < tuning.settle_after_election || silent_majority(roster) {
        return None;
    }
    replace_same_label(roster, tuning)
        .or_else(|| replace_dead(roster, tuning))
        .or_else(|| shrink(roster, tuning))
        .or_else(|| promote(roster, tuning))
        .or_else(|| forget(roster, tuning))
}

/// The voters that remain when `leaver` goes: as many as there can be of an odd number, this leader
/// among them. Empty where nobody else could vote.
pub(crate) fn without(roster: &Roster, leaver: u64, tuning: &Tuning) -> BTreeSet<u64> {
    let mut able: Vec<&Seen> = roster
        .nodes
        .iter()
        .filter(|node| node.id != leaver && node.live && !node.draining)
        .filter(|node| node.voter || ready(node, tuning))
        .collect();
    able.sort_by_key(|node| (node.id != roster.me, !node.voter, node.id));
    able.truncate(odd(able.len().min(tuning.voters_max)));
    able.iter().map(|node| node.id).collect()
}

fn silent_majority(roster: &Roster) -> bool {
    let voters = roster.nodes.iter().filter(|node| node.voter).count();
    let silent = roster.nodes.iter().filter(|node| node.voter && !node.live).count();
    silent * 2 >= voters && silent > 0
}

fn ready(node: &Seen, tuning: &Tuning) -> bool {
    !node.voter && node.live && !node.draining && node.steady_for >= tuning.promote_after
}

fn voters(roster: &Roster) -> BTreeSet<u64> {
    roster.nodes.iter().filter(|node| node.voter).map(|node| node.id).collect()
}

fn swap(roster: &Roster, pairs: &[(u64, u64)], why: &'static str) -> Option<Step> {
    if pairs.is_empty() {
        return None;
    }
    let mut voters = voters(roster);
    for (old, new) in pairs {
        voters.remove(old);
        voters.insert(*new);
    }
    Some(Step::SetVoters { voters, why })
}

/// A node that lost its disk comes back under its label with another id.
fn replace_same_label(roster: &Roster, tuning: &Tuning) -> Option<Step> {
    let gone = |node: &&Seen| node.voter && !node.live && node.silent_for >= SAME_LABEL_AFTER;
    let pair = roster.nodes.iter().filter(gone).find_map(|old| {
        let heir = |new: &&Seen| new.label == old.label && ready(new, tuning);
        roster.nodes.iter().find(heir).map(|new| (old.id, new.id))
    })?;
    swap(roster, &[pair], "a node came back under its label with a fresh disk")
}

fn dead<'a>(roster: &'a Roster, tuning: &Tuning) -> Vec<&'a Seen> {
    let dead = |node: &&Seen| node.voter && !node.live && node.silent_for >= tuning.replace_after;
    roster.nodes.iter().filter(dead).collect()
}

fn replace_dead(roster: &Roster, tuning: &Tuning) -> Option<Step> {
    let spares = roster.nodes.iter().filter(|node| ready(node, tuning));
    let pairs: Vec<_> =
        dead(roster, tuning).iter().zip(spares).map(|(old, new)| (old.id, new.id)).collect();
    swap(roster, &pairs, "a voter was silent for too long")
}

/// Without spares the dead are only let go where an odd number of at least three remains.
fn shrink(roster: &Roster, tuning: &Tuning) -> Option<Step> {
    let dead = dead(roster, tuning);
    let mut rest = voters(roster);
    for node in &dead {
        rest.remove(&node.id);
    }
    let odd_enough = rest.len() >= 3 && !rest.len().is_multiple_of(2);
    (!dead.is_empty() && odd_enough).then_some(Step::SetVoters {
        voters: rest,
        why: "voters were silent for too long and nobody could take their place",
    })
}

/// A silent node that does not vote may come back, however late, but for one whose disk is lost: its
/// label is borne by exactly one other node, a live one that joined after it.
fn forget(roster: &Roster, tuning: &Tuning) -> Option<Step> {
    let silent =
        |node: &&Seen| !node.voter && !node.live && node.silent_for >= tuning.replace_after;
    let replaced = |old: &&Seen| {
        let mut others =
            roster.nodes.iter().filter(|new| new.label == old.label && new.id != old.id);
        let heir = others.next().filter(|new| new.live && joined_after(new.id, old.id));
        heir.is_some() && others.next().is_none()
    };
    let old = roster.nodes.iter().filter(silent).find(replaced)?;
    Some(Step::Forget { node: old.id })
}

/// Founders' ids have the top bit set; joiners' ids are log indexes.
fn joined_after(new: u64, old: u64) -> bool {
    const FOUNDER: u64 = 1 << 63;
    new < FOUNDER && (old >= FOUNDER || new > old)
}

fn promote(roster: &Roster, tuning: &Tuning) -> Option<Step> {
    let mut voters = voters(roster);
    let live = roster.nodes.iter().filter(|node| node.voter && node.live && !node.draining);
    let spares: Vec<&Seen> = roster.nodes.iter().filter(|node| ready(node, tuning)).collect();
    let target = odd((live.count() + spares.len()).min(tuning.voters_max));
    let wanted = target.checked_sub(voters.len()).filter(|wanted| *wanted > 0)?;
    voters.extend(spares.iter().take(wanted).map(|node| node.id));
    Some(Step::SetVoters { voters, why: "learners have kept up" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuning() -> Tuning {
        Tuning::default()
    }

    fn node(id: u64, voter: bool) -> Seen {
        Seen {
            id,
            label: format!("n{id}"),
            voter,
            draining: false,
            live: true,
            silent_for: Duration::ZERO,
            steady_for: Duration::from_secs(60),
        }
    }

    fn silent(id: u64, seconds: u64) -> Seen {
        Seen {
            live: false,
            silent_for: Duration::from_secs(seconds),
            steady_for: Duration::ZERO,
            ..node(id, true)
        }
    }

    fn roster(nodes: Vec<Seen>) -> Roster {
        Roster { me: 1, joint: false, leading_for: Duration::from_secs(60), nodes }
    }

    fn chosen(nodes: Vec<Seen>) -> Option<Vec<u64>> {
        match next(&roster(nodes), &tuning()) {
            Some(Step::SetVoters { voters, .. }) => Some(voters.into_iter().collect()),
            Some(Step::FinishJoint | Step::Forget { .. }) | None => None,
        }
    }

    #[test]
    fn voters_grow_by_odd_numbers_up_to_the_most_there_may_be() {
        let cases: Vec<(Vec<Seen>, Option<Vec<u64>>)> = vec![
            (vec![node(1, true)], None),
            (vec![node(1, true), node(2, false)], None),
            (vec![node(1, true), node(2, false), node(3, false)], Some(vec![1, 2, 3])),
            ((1..=4).map(|id| node(id, id <= 3)).collect(), None),
            ((1..=5).map(|id| node(id, id <= 3)).collect(), Some(vec![1, 2, 3, 4, 5])),
            ((1..=7).map(|id| node(id, id <= 5)).collect(), None),
        ];
        for (nodes, expected) in cases {
            assert_eq!(chosen(nodes.clone()), expected, "{nodes:?}");
        }
    }

    #[test]
    fn a_learner_that_is_late_or_leaving_is_not_promoted() {
        let late = Seen { steady_for: Duration::from_secs(1), ..node(3, false) };
        let leaving = Seen { draining: true, ..node(3, false) };
        assert_eq!(chosen(vec![node(1, true), node(2, false), late]), None);
        assert_eq!(chosen(vec![node(1, true), node(2, false), leaving]), None);
    }

    #[test]
    fn a_dead_voter_is_replaced_only_after_long_silence_and_by_a_ready_learner() {
        let with = |seconds, spare: Vec<Seen>| {
            let mut nodes = vec![node(1, true), node(2, true), silent(3, seconds)];
            nodes.extend(spare);
            chosen(nodes)
        };
        assert_eq!(with(599, vec![node(4, false)]), None);
        assert_eq!(with(600, vec![node(4, false)]), Some(vec![1, 2, 4]));
        assert_eq!(with(600, vec![]), None);
    }

    #[test]
    fn two_dead_of_five_are_let_go_and_one_of_five_is_not() {
        let five = |dead: &[u64]| {
            let member = |id| if dead.contains(&id) { silent(id, 900) } else { node(id, true) };
            chosen((1..=5).map(member).collect())
        };
        assert_eq!(five(&[4, 5]), Some(vec![1, 2, 3]));
        assert_eq!(five(&[5]), None);
    }

    #[test]
    fn the_side_that_lost_half_of_the_voters_changes_nothing() {
        let nodes = vec![node(1, true), silent(2, 900), silent(3, 900), node(4, false)];
        assert_eq!(chosen(nodes), None);
    }

    #[test]
    fn a_wiped_node_takes_its_own_place_at_once() {
        let heir = Seen { label: "n3".to_owned(), ..node(9, false) };
        let nodes = vec![node(1, true), node(2, true), silent(3, 4), heir];
        assert_eq!(chosen(nodes), Some(vec![1, 2, 9]));
    }

    #[test]
    fn a_silent_learner_is_forgotten_only_when_a_later_node_bears_its_label_alone() {
        let old = |id| Seen { voter: false, ..silent(id, 900) };
        let bears = |id, label: &str| Seen { label: label.to_owned(), ..node(id, false) };
        let forgotten = |extra: Vec<Seen>| {
            let mut nodes = vec![node(1, true), old(5)];
            nodes.extend(extra);
            next(&roster(nodes), &tuning()) == Some(Step::Forget { node: 5 })
        };
        assert!(forgotten(vec![bears(9, "n5")]));
        assert!(!forgotten(vec![]));
        assert!(!forgotten(vec![bears(9, "n9")]));
        assert!(!forgotten(vec![bears(3, "n5")]), "it is older");
        assert!(!forgotten(vec![bears((1 << 63) + 1, "n5")]), "it is a founder");
        let twice = vec![bears(9, "n5"), Seen { draining: true, ..bears(10, "n5") }];
        assert!(!forgotten(twice), "labels are not told apart here");
    }

    #[test]
    fn a_change_left_half_done_is_finished_before_anything_else() {
        let mut roster = roster(vec![node(1, true)]);
        roster.joint = true;
        roster.leading_for = Duration::ZERO;
        assert_eq!(next(&roster, &tuning()), Some(Step::FinishJoint));
    }

    #[test]
    fn a_fresh_leader_leaves_the_membership_alone() {
        let mut roster = roster((1..=3).map(|id| node(id, id == 1)).collect());
        roster.leading_for = Duration::from_millis(100);
        assert_eq!(next(&roster, &tuning()), None);
    }

    #[test]
    fn leaving_keeps_an_odd_number_with_the_leader_in_it() {
        let members = |count: u64| roster((1..=count).map(|id| node(id, true)).collect());
        let left = |count, leaver| {
            let mut left = without(&members(count), leaver, &tuning());
            assert!(leaver == 1 || left.contains(&1) || left.is_empty());
            left.remove(&leaver);
            left.len()
        };
        assert_eq!([left(5, 5), left(3, 2), left(2, 2), left(1, 1)], [3, 1, 1, 0]);
    }
}
