//! The ledger's proof: every short sequence of commands, long random ones against a model, and every
//! course of a small world of nodes that lose, repeat and reorder what they say.

mod edges;
mod engine;
mod explore;
mod hand;
mod model;
mod random;
mod ring;
mod walk;
mod world;
