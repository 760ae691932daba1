//! One log for all nodes: who is a member, who leads, what is committed.

pub(crate) mod adopt;
mod answers;
mod autopilot;
mod book;
pub(crate) mod bootstrap;
pub(crate) mod client;
pub(crate) mod clock;
mod disk;
pub(crate) mod duties;
pub(crate) mod everywhere;
pub(crate) mod founders;
pub(crate) mod fresh;
mod join;
pub(crate) mod leave;
mod membership;
pub(crate) mod message;
mod network;
pub(crate) mod node;
pub(crate) mod proposals;
pub(crate) mod refusal;
mod report;
pub(crate) mod route;
pub(crate) mod rpc;
pub(crate) mod service;
mod sightings;
mod snapshot;
#[cfg(test)]
mod tests;
