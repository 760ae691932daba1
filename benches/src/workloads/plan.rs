//! The workloads, by name.

/// A dollar, in nano-USD.
const USD: f64 = 1e9;
/// Half of all requests cost less than this, in nano-USD.
pub(crate) const MEDIAN_COST: f64 = 1e6;
/// Spread of the costs: the mean is twice the median, one in a hundred costs sixteen times as much.
pub(crate) const SIGMA: f64 = 1.2;
/// Half of all requests take less than this, in seconds.
pub(crate) const MEDIAN_SECONDS: f64 = 3.0;
/// Spread of how long they take.
pub(crate) const SECONDS_SIGMA: f64 = 0.6;

/// What goes wrong meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Faults {
    /// Nothing.
    None,
    /// The second node crashes for 30 s, the third is cut off from the others for 40 s, and twice nobody
    /// leads for 1.5 s.
    Some,
    /// The second node crashes and never comes back.
    Lost,
}

/// One workload.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) per_second: f64,
    pub(crate) seconds: f64,
    pub(crate) keys: usize,
    /// Exponent of the keys' popularity by rank; zero: all alike.
    pub(crate) zipf: f64,
    /// Limit of each key's budget, in nano-USD; `None`: far more than is asked for.
    pub(crate) limit: Option<f64>,
    /// A request holds its cost times a number evenly between these.
    pub(crate) hold: (f64, f64),
    pub(crate) faults: Faults,
}

const fn plan(name: &'static str, per_second: f64, keys: usize) -> Plan {
    Plan {
        name,
        per_second,
        seconds: 120.0,
        keys,
        zipf: 0.0,
        limit: None,
        hold: (1.2, 3.0),
        faults: Faults::None,
    }
}

/// What four hundred seconds of a thousand requests a second cost, about.
const HOT: Option<f64> = Some(820.0 * USD);
/// Long enough for demand to go on when that is spent.
const LONG: f64 = 460.0;

/// All of them. Budgets that have a limit are asked for more than they hold.
pub(crate) const ALL: &[Plan] = &[
    Plan { limit: HOT, seconds: LONG, ..plan("A one hot key", 1_000.0, 1) },
    Plan {
        limit: HOT,
        seconds: LONG,
        faults: Faults::Some,
        ..plan("B one hot key, faults", 1_000.0, 1)
    },
    Plan {
        limit: HOT,
        seconds: LONG,
        faults: Faults::Lost,
        ..plan("B' a node lost for good", 1_000.0, 1)
    },
    Plan {
        limit: HOT,
        seconds: LONG,
        faults: Faults::Some,
        hold: (5.0, 20.0),
        ..plan("C holds of 5 to 20 costs", 1_000.0, 1)
    },
    Plan {
        limit: Some(0.1 * USD),
        faults: Faults::Some,
        zipf: 0.9,
        ..plan("D 1,000 tiny budgets", 1_000.0, 1_000)
    },
    Plan { limit: Some(2.0 * USD), ..plan("E a budget of $2", 20.0, 1) },
    plan("F 10 keys, ample", 1_000.0, 10),
    plan("F 100 keys, ample", 1_000.0, 100),
    plan("F 1,000 keys, ample", 1_000.0, 1_000),
    plan("F 10,000 keys, ample", 1_000.0, 10_000),
    plan("G 20,000 first touches", 2_000.0, 20_000),
];
