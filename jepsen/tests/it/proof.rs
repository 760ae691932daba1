//! Promises, held while nodes are struck. Each proof prints its seed and its figures;
//! `JEPSEN_SEED=<seed> cargo nextest run -p jepsen --no-capture proof` draws the same again.

mod live;
mod overspent;
mod stale;
