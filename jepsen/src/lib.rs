//! Proofs that need whole clusters: real processes of the real program, struck while clients write
//! down what they see, and checkers that read it afterwards.
//!
//! It will never take the cluster's word for what the cluster did: registers are judged by what clients
//! saw, money by the provider's own books.

pub mod cluster;
pub mod dice;
pub mod history;
pub mod http;
pub mod linear;
pub mod live;
pub mod money;
pub mod nemesis;
pub mod provider;
pub mod sim;
pub mod spoil;
