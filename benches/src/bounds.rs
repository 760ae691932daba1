//! How loose the bounds on input tokens are, and how far off the estimates, over the recorded traffic
//! beside the repository. What exceeds a bound stands in the list of `api/wire/tests/it/bounds.rs`.

#[path = "../../api/wire/tests/it/bounds/measure.rs"]
mod measure;

use crate::{say, traffic};
use anyhow::Result;

/// Prints a line for each dialect and provider.
pub(crate) fn run() -> Result<()> {
    let mut measured = Vec::new();
    let operations = measure::OPERATIONS.map(|(operation, _)| operation);
    traffic::each_of(&operations, |record| measured.extend(measure::measure(&record)));
    measure::table(&measured).iter().for_each(|line| say(line));
    let over = measured.iter().filter(|one| one.bound.is_some_and(|bound| bound < one.counted));
    over.for_each(|one| say(&format!("over: {}", one.id)));
    Ok(())
}
