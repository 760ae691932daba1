//! How much a node asks for and gives back: pure arithmetic over what it sees of one purse.

/// Time without a hold after which a purse is emptied, in milliseconds.
const IDLE_MS: u64 = 60_000;
/// The same where the whole budget is a few hundred requests.
const IDLE_TIGHT_MS: u64 = 15_000;
/// The same where the pool is low.
const IDLE_LOW_MS: u64 = 3_000;
/// What is kept while the pool is low, in milliseconds of the present rate.
const LOW_KEEP_MS: i64 = 150;
/// What an election and a refill take, in milliseconds of the present rate.
const REFILL_MS: i64 = 600;
/// Mean holds that are kept beside what the rate asks for: a thousand keys of a request a second together ask
/// the log 88 times for a thousand requests with ten, 136 times with three.
const HOLDS_KEPT: i64 = 10;
/// Most of a limit that is kept ahead of need.
const CUSHION_PARTS: i64 = 32;
/// The same where that is less than a few holds: the ledger grants no larger cushion at once.
const CUSHION_PARTS_SMALL: i64 = 16;
/// So many holds.
const CUSHION_HOLDS: i64 = 4;

/// One purse, seen from outside at one moment. Amounts in the purse's unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// May be held now.
    pub(super) available: i64,
    /// Charges that wait.
    pub(super) waiting: i64,
    /// The part of them that stands in line at this very purse.
    pub(super) in_line: i64,
    /// The smallest charge in that line.
    pub(super) least_in_line: Option<i64>,
    /// Spend per second.
    pub(super) rate: i64,
    /// Mean size of a hold.
    pub(super) mean_hold: i64,
    /// The limit.
    pub(super) limit: i64,
    /// The pool as last applied; `None` where it is not known.
    pub(super) pool: Option<i64>,
    /// The pool is below 2 % of the limit, or lately held less than somebody asked for.
    pub(super) low: bool,
    /// Since the last hold, in milliseconds.
    pub(super) idle_ms: u64,
    /// Nothing shall be kept: the node leaves, or the period is over.
    pub(super) closing: bool,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    /// Would like, at least `must`.
    pub(super) want: i64,
    /// Needed by charges that wait.
    pub(super) must: i64,
    /// Not needed here.
    pub(super) give_back: i64,
    /// Ask again at once below this.
    pub(super) low_water: i64,
    /// Give back at once above this and what is waited for.
    pub(super) high_water: i64,
}

/// Decides for one purse.
///
/// In plenty a node keeps what it spends in 10 s (3 s once a fifth of the limit is left) and a little
/// for the way, so that a lost leader is not felt. Once the pool is low it keeps 150 ms' worth and asks
/// for exact needs, so that the last of a budget is where somebody wants it.
pub(super) fn ask(seen: &Standing) -> Ask {
    let in_vain = waits_in_vain(seen);
    let waiting = if in_vain { (seen.waiting - seen.in_line).max(0) } else { seen.waiting };
    let lacking = (waiting - seen.available).max(0);
    let pool_is_dry = seen.pool.is_some_and(|pool| pool <= 0);
    let must = if pool_is_dry { 0 } else { lacking };
    let spare = (seen.available - waiting).max(0);
    if in_vain && !seen.closing {
        // More than there is, so that nothing is granted and all others hear that it is wanted here.
        let wish = if seen.low { 0 } else { seen.least_in_line.unwrap_or(0) };
        let want = wish.max(must);
        return Ask { want, must, give_back: spare, low_water: i64::MIN, high_water: 0 };
    }
    if seen.closing || seen.idle_ms >= idle_limit_ms(seen) {
        return Ask { want: must, must, give_back: spare, low_water: i64::MIN, high_water: 0 };
    }
    if seen.low {
        let keep = seen.rate.saturating_mul(LOW_KEEP_MS) / 1_000;
        return Ask {
            want: must,
            must,
            give_back: (spare - keep).max(0),
            low_water: i64::MIN,
            high_water: keep,
        };
    }
    let cushion = cushion(seen, must);
    // A cushion below one hold serves nobody; what is left of one hold will serve the next.
    let keep = cushion.max(seen.mean_hold.min(seen.limit / 16));
    let target = seen.waiting.saturating_add(cushion);
    let wants_cushion = seen.available < target / 4 * 3 && !pool_is_dry;
    let want = if wants_cushion || must > 0 {
        target.saturating_add(cushion / 4) - seen.available
    } else {
        0
    };
    Ask {
        want: want.max(must),
        must,
        give_back: if spare / 2 > keep { spare - keep } else { 0 },
        low_water: if pool_is_dry { i64::MIN } else { cushion / 2 },
        high_water: i64::MAX,
    }
}

/// Time without a hold after which this purse is emptied, in milliseconds.
fn idle_limit_ms(seen: &Standing) -> u64 {
    if seen.low {
        IDLE_LOW_MS
    } else if seen.mean_hold.saturating_mul(3) > seen.limit / CUSHION_PARTS {
        IDLE_TIGHT_MS
    } else {
        IDLE_MS
    }
}

/// Whether what is here and in the pool serves nobody in line here. Kept, it would be of no use, while
/// other nodes may keep as little: together it may serve somebody. So it goes back, and nobody asks
/// before there is enough for one.
fn waits_in_vain(seen: &Standing) -> bool {
    let (Some(least), Some(pool)) = (seen.least_in_line, seen.pool) else {
        return false;
    };
    pool.max(0).saturating_add(seen.available) < least
}

/// What to keep ahead of need while there is plenty.
fn cushion(seen: &Standing, must: i64) -> i64 {
    let is_plenty = seen.pool.is_none_or(|pool| pool > seen.limit / 5);
    let horizon_ms = if is_plenty { 10_000 } else { 3_000 };
    let ahead = seen.rate.saturating_mul(horizon_ms + REFILL_MS) / 1_000;
    let holds = if is_plenty { seen.mean_hold.saturating_mul(HOLDS_KEPT) } else { 0 };
    let wanted = ahead.saturating_add(holds).saturating_add(must);
    let few_holds = seen.mean_hold.saturating_mul(CUSHION_HOLDS);
    let most = few_holds.clamp(seen.limit / CUSHION_PARTS, seen.limit / CUSHION_PARTS_SMALL);
    // More than the pool holds would tell everybody that somebody waits for it.
    let most = most.min(seen.pool.map_or(most, |pool| pool / 4));
    if most < seen.mean_hold {
        return 0;
    }
    wanted.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A budget of 64,000 with all of its pool, 10 per hold, 100 per second.
    fn plenty() -> Standing {
        Standing {
            available: 0,
            waiting: 0,
            rate: 50,
            mean_hold: 10,
            limit: 64_000,
            pool: Some(64_000),
            ..Standing::default()
        }
    }

    #[test]
    fn in_plenty_a_node_asks_for_ten_seconds_and_a_quarter_more() {
        let asked = ask(&plenty());
        let target = 50 * 10 + 30 + 100;
        assert_eq!((asked.want, asked.must), (target + target / 4, 0));
        assert_eq!(asked.low_water, target / 2);
    }

    #[test]
    fn nothing_moves_between_three_quarters_and_twice_the_target() {
        for available in [480, 630, 1_250] {
            let asked = ask(&Standing { available, ..plenty() });
            assert_eq!((asked.want, asked.give_back), (0, 0), "{available}");
        }
        let above = ask(&Standing { available: 1_300, ..plenty() });
        assert_eq!(above.give_back, 1_300 - 630);
    }

    #[test]
    fn waiting_charges_are_asked_for_whole() {
        let asked = ask(&Standing { available: 100, waiting: 7_000, ..plenty() });
        assert_eq!(asked.must, 6_900);
        assert!(asked.want > asked.must && asked.want <= 6_900 + 2_000 + 500);
        assert_eq!(asked.give_back, 0);
    }

    #[test]
    fn a_low_pool_is_asked_for_exact_needs_and_given_all_but_150_ms() {
        let low = Standing { low: true, pool: Some(500), available: 300, ..plenty() };
        let asked = ask(&low);
        assert_eq!((asked.want, asked.must), (0, 0));
        assert_eq!(asked.give_back, 300 - 7);
        assert_eq!(asked.high_water, 7);
        let waiting = ask(&Standing { waiting: 350, ..low });
        assert_eq!((waiting.want, waiting.must, waiting.give_back), (50, 50, 0));
    }

    #[test]
    fn what_serves_nobody_in_line_goes_back_and_nothing_is_asked_for() {
        let line = Standing {
            available: 90,
            waiting: 200,
            in_line: 200,
            least_in_line: Some(100),
            pool: Some(9),
            low: true,
            ..plenty()
        };
        let asked = ask(&line);
        assert_eq!((asked.want, asked.must, asked.give_back), (0, 0, 90));
        // Some wait for another purse of their path, and have what they need here.
        assert_eq!(ask(&Standing { waiting: 230, ..line }).give_back, 60);
        // Where nobody knows yet that it is short, that is told: by a wish that takes nothing.
        let untold = ask(&Standing { low: false, ..line });
        assert_eq!((untold.want, untold.must, untold.give_back), (100, 0, 90));
        let enough = ask(&Standing { pool: Some(10), ..line });
        assert_eq!((enough.must, enough.give_back), (110, 0));
    }

    #[test]
    fn a_dry_pool_is_not_asked() {
        let dry = Standing { low: true, pool: Some(0), waiting: 350, ..plenty() };
        assert_eq!((ask(&dry).want, ask(&dry).must), (0, 0));
        let unknown = Standing { pool: None, ..dry };
        assert_eq!(ask(&unknown).must, 350);
    }

    #[test]
    fn idle_and_closing_purses_are_emptied_but_for_those_who_wait() {
        let idle = Standing { available: 300, idle_ms: 60_000, ..plenty() };
        assert_eq!(ask(&idle).give_back, 300);
        let awake = Standing { idle_ms: 59_999, ..idle };
        assert_eq!(ask(&awake).give_back, 0);
        let tiny = Standing { limit: 900, idle_ms: 15_000, ..idle };
        assert_eq!(ask(&tiny).give_back, 300);
        let closing = Standing { closing: true, waiting: 100, ..awake };
        assert_eq!(ask(&closing).give_back, 200);
    }

    #[test]
    fn a_budget_of_few_requests_gets_no_cushion() {
        let few = Standing { limit: 150, pool: Some(150), ..plenty() };
        assert_eq!(ask(&few).want, 0);
        assert_eq!(ask(&Standing { waiting: 10, ..few }).want, 10);
        let kept = Standing { available: 19, ..few };
        assert_eq!(ask(&kept).give_back, 0);
        let too_much = Standing { available: 30, ..few };
        assert_eq!(ask(&too_much).give_back, 21);
        // One of a hundred requests gets one of a hold and a half, not more.
        let hundred = Standing { limit: 240, pool: Some(240), ..plenty() };
        assert_eq!(ask(&hundred).want, 15 + 15 / 4);
    }

    #[test]
    fn a_cushion_is_at_most_a_quarter_of_what_is_left() {
        let hot = Standing { rate: 5_000, ..plenty() };
        assert_eq!(ask(&hot).want, 2_000 + 500);
        let ending = Standing { pool: Some(2_000), ..hot };
        assert_eq!(ask(&ending).want, 500 + 125);
    }

    #[test]
    fn no_amount_overflows() {
        let most = 1_000_000_000_000_000_000;
        for low in [false, true] {
            let huge = Standing {
                available: most,
                waiting: most,
                in_line: 0,
                least_in_line: None,
                rate: most,
                mean_hold: most,
                limit: most,
                pool: Some(most),
                low,
                idle_ms: 0,
                closing: false,
            };
            assert!(ask(&huge).want >= 0);
            assert!(ask(&Standing { available: 0, ..huge }).want >= most);
        }
    }
}
