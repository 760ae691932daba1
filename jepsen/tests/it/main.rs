//! Proofs that need whole clusters.

#[cfg(test)]
mod proof;
