//! Chance from a seed, in the shapes traffic comes in.

/// A stream of numbers that a seed names (xorshift64*).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Above zero, at most one.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly between two numbers.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Time to the next of events that come `per_second` on average, in seconds.
    pub(crate) fn gap(&mut self, per_second: f64) -> f64 {
        -self.unit().ln() / per_second
    }

    /// Lognormal around a median.
    pub(crate) fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        let normal = (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
        median * (sigma * normal).exp()
    }

    /// Index into weights that rise to their sum.
    pub(crate) fn pick(&mut self, rising: &[f64]) -> usize {
        let at = self.unit() * rising.last().copied().unwrap_or(1.0);
        rising.partition_point(|sum| *sum < at).min(rising.len().saturating_sub(1))
    }
}

/// Running sums of weights, for [`Dice::pick`].
pub(crate) fn rising(weights: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut sum = 0.0;
    weights
        .into_iter()
        .map(|weight| {
            sum += weight;
            sum
        })
        .collect()
}
