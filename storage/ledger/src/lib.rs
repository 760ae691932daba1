//! What all nodes agree on: virtual keys, budgets, providers, aliases, and what each node may spend.
//!
//! The whole crate is one pure function, [`apply`], over one value, [`Ledger`], and the questions a
//! request asks of it ([`view`]). Time and ids are chosen by whoever proposes a command and travel in
//! the [`Entry`]. A denial is an outcome like any other and is replicated.
//!
//! It will never do I/O, read a clock, draw a random number, use a float or iterate a hash map:
//! five nodes that apply the same entries hold the same ledger, byte for byte. Time zones are known to
//! [`calendar`] alone, which proposers ask: entries carry its answers.

mod account;
mod alias;
mod allowance;
pub mod budget;
pub mod calendar;
mod charge;
pub mod command;
pub mod event;
mod guard;
mod instance;
pub mod invariant;
mod key;
mod ledger;
mod money;
mod node;
mod outcome;
mod period;
mod price;
mod profile;
#[cfg(test)]
mod proof;
mod provider;
#[cfg(test)]
mod sample;
mod scope;
mod threshold;
mod time;
pub mod usage;
pub mod valid;
pub mod view;

pub use account::{Account, AccountId, Increase};
pub use alias::{Alias, Target};
pub use budget::{Action, Budget, BudgetWindow, Mode, Per, Step, Unit, Window, WithoutQuorum};
pub use charge::{CHARGE_MAX, Charge};
pub use command::{Command, Entry, apply};
pub use event::{Audit, Event, Happened, Webhook, Word};
pub use instance::{INSTANCES_MAX, INSTANCES_OF_BUDGET_MAX, Instance};
pub use key::{Allow, KeyHash, Narrowed, RateLimits, VirtualKey};
pub use ledger::Ledger;
pub use money::NanoUsd;
pub use node::{NodeId, NodeRecord, PAST_LIVES_MAX, PastLife};
pub use outcome::{Change, Denial, Grant, Outcome};
pub use period::{Lane, Period};
pub use price::{Class, Price, Quality, Rate, Service};
pub use profile::Profile;
pub use provider::{Credential, Model, Overrides, Provider, Sealed, StreamUsage, Unpriced};
pub use scope::{Scope, ScopeId, ScopeKind, Selector};
pub use time::UnixMillis;
pub use usage::{UsageKey, UsageLine, UsageSums};
