//! What an attempt may cost, and what it did cost: every amount that is held or charged is decided here.
//!
//! Pure: from what was asked, from how it ended and from what was counted on the way, to a charge. The node
//! calls it, and simulated runs call the same. It will never hold or settle anything itself.

mod bill;
mod price;
mod quote;

pub use bill::{Bill, Ended, Terms, bill, chunk_on_its_way, is_hard, usage_sums};
pub use price::{List, Prices, Tariff};
pub use quote::{ModelTerms, Quote, Room, Unquotable, quote};
