//! Simulated clusters, run after run, each named by its seed.
//!
//! `JEPSEN_SEED=<seed> cargo nextest run -p jepsen --no-capture sim::` plays one run again and shows what
//! happened last; `JEPSEN_SEEDS=<count>` plays that many, from `JEPSEN_SEED` on or from 1.
//!
//! Before a merge: `JEPSEN_SEEDS=2000 cargo nextest run --cargo-profile sim -p jepsen sim::`, some two minutes on
//! two processors. Before a release the same with a million.
//!
//! Seeds that ever failed lie in `jepsen/seeds/failed.txt` and are played first.

mod controls;
mod replay;
mod sweep;
