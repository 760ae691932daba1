//! How a limit is shared out: pure arithmetic.

/// What one node says of itself on one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Used of the limit: in the present minute, or in flight.
    pub used: u64,
    /// Would use next, beyond `used`.
    pub wanted: u64,
}

/// Shares of a limit, in the order of the demands; their sum is the limit, or zero without demands.
///
/// What is used stays with whoever used it until it slides out of the minute. The rest goes to those
/// who want it, small wishes first; what nobody wants is spread evenly, so that a node's first requests
/// need not ask.
#[must_use]
pub fn allot(limit: u64, demands: &[Demand]) -> Vec<u64> {
    let mut left = limit;
    let mut shares: Vec<u64> = demands
        .iter()
        .map(|demand| {
            let share = demand.used.min(left);
            left -= share;
            share
        })
        .collect();
    let mut by_wish: Vec<usize> = (0..demands.len()).collect();
    by_wish.sort_by_key(|&at| (demands[at].wanted, at));
    let wishes = |at: usize| demands[at].wanted;
    left = pour(left, &by_wish, &mut shares, wishes);
    pour(left, &by_wish, &mut shares, |_| u64::MAX);
    shares
}

/// Pours `left` into the shares, at most a wish into each, evenly where it does not suffice; returns
/// what is left. `order` ascends by wish.
fn pour(left: u64, order: &[usize], shares: &mut [u64], wish: impl Fn(usize) -> u64) -> u64 {
    let mut left = left;
    for (done, &at) in order.iter().enumerate() {
        let waiting = u64::try_from(order.len() - done).unwrap_or(u64::MAX);
        // Rounded up: what does not divide goes to the first, and none of it is lost.
        let even = left.div_ceil(waiting);
        let poured = wish(at).min(even);
        shares[at] += poured;
        left -= poured;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares(limit: u64, demands: &[(u64, u64)]) -> Vec<u64> {
        let demand = |&(used, wanted): &(u64, u64)| Demand { used, wanted };
        allot(limit, &demands.iter().map(demand).collect::<Vec<_>>())
    }

    #[test]
    fn a_single_node_has_the_whole_limit() {
        assert_eq!(shares(60, &[(0, 0)]), [60]);
        assert_eq!(shares(60, &[(10, 100)]), [60]);
    }

    #[test]
    fn what_is_used_stays_and_the_rest_follows_demand() {
        assert_eq!(shares(100, &[(50, 0), (0, 100), (0, 10)]), [50, 40, 10]);
        assert_eq!(shares(90, &[(0, 100), (0, 100), (0, 100)]), [30, 30, 30]);
        assert_eq!(shares(90, &[(0, 10), (0, 50), (0, 0)]), [20, 60, 10]);
    }

    #[test]
    fn nothing_is_handed_out_beyond_the_limit_or_below_zero() {
        assert_eq!(shares(0, &[(0, 5), (3, 5)]), [0, 0]);
        assert_eq!(shares(10, &[(8, 5), (8, 5)]), [8, 2]);
        assert_eq!(shares(1, &[(0, 1), (0, 1), (0, 1)]), [1, 0, 0]);
        assert!(shares(10, &[]).is_empty());
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_limit(
            limit in 0_u64..1_000_000,
            demands in prop::collection::vec((0_u64..500_000, 0_u64..500_000), 1..9),
        ) {
            let shares = shares(limit, &demands);
            prop_assert_eq!(shares.iter().sum::<u64>(), limit);
        }
    }
}
