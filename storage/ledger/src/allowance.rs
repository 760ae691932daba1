//! How large a grant is: pure arithmetic over what a level asks for and what its pool holds.
//!
//! A grant has two parts. The *need* is for requests that are waiting now. The *cushion* is for requests
//! to come, and stays idle until then.

use crate::Unit;

/// A node that is lost with an idle cushion strands at most this part of a limit with each grant.
const CUSHION_PARTS: i64 = 16;

/// What one level of a path asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// What the level counts.
    pub(crate) unit: Unit,
    /// Limit of the present period; zero where nothing may be granted.
    pub(crate) limit: i64,
    /// What is left in the pool; zero where nothing may be granted.
    pub(crate) pool: i64,
    /// Needed by requests that are waiting, at least zero.
    pub(crate) must: i64,
    /// Would like, at least `must`.
    pub(crate) want: i64,
}

/// What one level is granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// For requests that are waiting.
    pub(crate) need: i64,
    /// For requests to come.
    pub(crate) cushion: i64,
}

impl Size {
    pub(crate) fn sum(self) -> i64 {
        self.need.saturating_add(self.cushion)
    }
}

/// Size of the grant of a level on its own: `min(want, max(pool / (2 * nodes), 2 * must), pool)`.
///
/// The need is served before any share is looked at: where the pool holds no more than `must`, all of
/// it goes. The cushion is the rest of that formula, at most 1/16 of the limit: a budget of a few
/// dollars would else lose a large part of itself with every node that dies holding an idle share.
/// Nodes ask for less of all but the smallest budgets. Where the pool holds less than is wanted there is
/// no cushion: what is left is for those who wait.
pub(crate) fn alone(ask: &Ask, active_nodes: u32) -> Size {
    let pool = ask.pool.max(0);
    let need = ask.must.min(pool);
    let halves = i64::from(active_nodes.max(1)).saturating_mul(2);
    let share = (pool / halves).max(ask.must.saturating_mul(2));
    let whole = ask.want.min(share).min(pool);
    let most = if ask.want > pool { 0 } else { ask.limit / CUSHION_PARTS };
    let cushion = whole.saturating_sub(need).clamp(0, most);
    Size { need, cushion }
}

/// Sizes of the grants of one path's levels, so that no level holds what another keeps from being spent.
///
/// * Where a level cannot serve its need, what it is short of is taken off the needs of the levels that
///   count the same unit: the requests behind it cannot go. The rest of those needs stays, for a parent's
///   need holds that of other children too. Levels of other units keep theirs, for there is no rate of
///   exchange between tokens and dollars; the node gives back what it could not use. No level of such a
///   path gets a cushion.
/// * Else every need is served, and levels of one unit get the least of the cushions among those that
///   asked for one.
pub(crate) fn path(asks: &[Ask], active_nodes: u32) -> Vec<Size> {
    let mut sizes: Vec<Size> = asks.iter().map(|ask| alone(ask, active_nodes)).collect();
    let is_short = |(ask, size): (&Ask, &Size)| size.need < ask.must;
    if asks.iter().zip(&sizes).any(is_short) {
        cut_to_shortfalls(asks, &mut sizes);
    } else {
        level_cushions(asks, &mut sizes);
    }
    sizes
}

fn cut_to_shortfalls(asks: &[Ask], sizes: &mut [Size]) {
    for unit in UNITS {
        let short_by = asks
            .iter()
            .zip(sizes.iter())
            .filter(|(ask, _)| ask.unit == unit)
            .map(|(ask, size)| ask.must.saturating_sub(size.need))
            .max()
            .unwrap_or(0);
        for (ask, size) in asks.iter().zip(sizes.iter_mut()) {
            size.cushion = 0;
            if ask.unit == unit {
                size.need = size.need.min(ask.must.saturating_sub(short_by).max(0));
            }
        }
    }
}

fn level_cushions(asks: &[Ask], sizes: &mut [Size]) {
    for unit in UNITS {
        let least = asks
            .iter()
            .zip(sizes.iter())
            .filter(|(ask, _)| ask.unit == unit && ask.want > ask.must)
            .map(|(_, size)| size.cushion)
            .min()
            .unwrap_or(0);
        for (ask, size) in asks.iter().zip(sizes.iter_mut()) {
            if ask.unit == unit {
                size.cushion = size.cushion.min(least);
            }
        }
    }
}

const UNITS: [Unit; 3] = [Unit::NanoUsd, Unit::Tokens, Unit::Requests];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask(pool: i64, must: i64, want: i64) -> Ask {
        Ask { unit: Unit::NanoUsd, limit: 6_400, pool, must, want }
    }

    fn size(need: i64, cushion: i64) -> Size {
        Size { need, cushion }
    }

    #[test]
    fn a_need_is_served_whole_while_the_pool_lasts() {
        assert_eq!(alone(&ask(6_400, 500, 500), 5), size(500, 0));
        assert_eq!(alone(&ask(500, 500, 500), 5), size(500, 0));
        assert_eq!(alone(&ask(499, 500, 500), 5), size(499, 0));
        assert_eq!(alone(&ask(-5, 500, 500), 5), size(0, 0));
    }

    #[test]
    fn a_cushion_is_at_most_a_sixteenth_of_the_limit() {
        assert_eq!(alone(&ask(6_400, 0, 6_400), 1), size(0, 400));
        assert_eq!(alone(&ask(6_400, 50, 6_400), 1), size(50, 400));
        assert_eq!(alone(&ask(6_400, 0, 30), 1), size(0, 30));
    }

    #[test]
    fn a_cushion_is_at_most_half_the_nodes_share_of_the_pool() {
        assert_eq!(alone(&ask(100, 0, 90), 5), size(0, 10));
        assert_eq!(alone(&ask(100, 20, 90), 5), size(20, 20));
        assert_eq!(alone(&ask(100, 0, 90), 0), size(0, 50));
    }

    #[test]
    fn a_pool_that_holds_less_than_is_wanted_gives_no_cushion() {
        assert_eq!(alone(&ask(100, 0, 101), 1), size(0, 0));
        assert_eq!(alone(&ask(100, 20, 101), 1), size(20, 0));
    }

    #[test]
    fn an_exhausted_child_strands_nothing_of_its_parent() {
        let sizes = path(&[ask(0, 10, 50), ask(6_400, 10, 90)], 2);
        assert_eq!(sizes, [size(0, 0), size(0, 0)]);
    }

    #[test]
    fn a_parent_still_serves_the_other_children_of_an_exhausted_one() {
        let sizes = path(&[ask(4, 10, 50), ask(6_400, 40, 90)], 2);
        assert_eq!(sizes, [size(4, 0), size(34, 0)]);
    }

    #[test]
    fn cushions_of_one_unit_are_cut_to_the_least() {
        let sizes = path(&[ask(40, 0, 40), ask(6_400, 5, 90), ask(6_400, 5, 5)], 2);
        assert_eq!(sizes, [size(0, 10), size(5, 10), size(5, 0)]);
    }

    #[test]
    fn a_short_level_of_another_unit_costs_the_cushion_only() {
        let tokens = Ask { unit: Unit::Tokens, ..ask(0, 10, 10) };
        let sizes = path(&[tokens, ask(6_400, 7, 90)], 2);
        assert_eq!(sizes, [size(0, 0), size(7, 0)]);
    }

    proptest! {
        #[test]
        fn no_level_gets_more_than_it_asked_for_or_its_pool_holds(
            levels in prop::collection::vec((0..3_usize, -50..500_i64, 0..90_i64, 0..200_i64), 1..6),
            nodes in 0..9_u32,
        ) {
            let asks: Vec<Ask> = levels
                .iter()
                .map(|&(unit, pool, must, more)| Ask {
                    unit: UNITS[unit],
                    ..ask(pool, must, must + more)
                })
                .collect();
            let sizes = path(&asks, nodes);
            let short = sizes.iter().zip(&asks).any(|(size, ask)| size.need < ask.must);
            for (size, ask) in sizes.iter().zip(&asks) {
                prop_assert!(size.need >= 0 && size.cushion >= 0);
                prop_assert!(size.need <= ask.must && size.sum() <= ask.want);
                prop_assert!(size.sum() <= ask.pool.max(0));
                prop_assert!(size.cushion <= ask.limit / CUSHION_PARTS);
                prop_assert!(size.cushion == 0 || !short);
            }
        }
    }

    #[test]
    fn extreme_asks_do_not_overflow() {
        let extreme = ask(i64::MAX, i64::MAX, i64::MAX);
        assert_eq!(alone(&extreme, u32::MAX), size(i64::MAX, 0));
        assert_eq!(path(&[extreme, ask(i64::MIN, i64::MAX, i64::MAX)], 0)[1], size(0, 0));
    }
}
