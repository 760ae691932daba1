//! Promises, held while nodes are killed and paused. Each proof prints its seed and its figures;
//! `JEPSEN_SEED=<seed> cargo nextest run -p jepsen --no-capture proof` draws the same again.

mod money;
mod register;
mod registers;
mod stale;
mod storm;
