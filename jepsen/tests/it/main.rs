//! Proofs that need whole clusters.

#[cfg(test)]
mod proof;
#[cfg(test)]
mod sim;
