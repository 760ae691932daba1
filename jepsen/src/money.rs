//! The judge of money: the provider's own books against the budget and against the ledger's books.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The ledger's books of one budget, in nano-USD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Books {
    /// Most that may be spent.
    pub limit: i64,
    /// Reported by the nodes.
    pub spent: i64,
    /// Granted to live nodes and not reported as spent.
    pub held: i64,
    /// Granted to nodes that died, spent perhaps.
    pub suspense: i64,
    /// Granted to nobody.
    pub remaining: i64,
    /// Billed beyond what was set aside.
    pub debt: i64,
}

impl Books {
    /// Reads the first window of a budget as the admin API shows it.
    ///
    /// # Errors
    ///
    /// A figure is missing.
    pub fn read(budget: &Value) -> Result<Books> {
        let figure = |name: &str| {
            let field = format!("{name}_nano_usd");
            let figure = budget["windows"][0][&field].as_i64();
            figure.with_context(|| format!("no {field} in {budget}"))
        };
        Ok(Books {
            limit: figure("limit")?,
            spent: figure("spent")?,
            held: figure("held")?,
            suspense: figure("suspense")?,
            remaining: figure("remaining")?,
            debt: figure("debt")?,
        })
    }

    /// Judges them: `billed_before` is what the provider had billed on this budget before they were read.
    ///
    /// # Errors
    ///
    /// More was billed than the budget holds, or than the ledger accounts for, or the books do not add up.
    pub fn judge(&self, billed_before: i64) -> Result<()> {
        let Books { limit, spent, held, suspense, remaining, debt } = *self;
        ensure!(billed_before <= limit, "{billed_before} billed on a budget of {limit}");
        let accounted = i128::from(spent) + i128::from(held) + i128::from(suspense);
        ensure!(
            i128::from(billed_before) <= accounted,
            "{billed_before} billed, and only {accounted} accounted for: {self:?}"
        );
        ensure!(
            accounted + i128::from(remaining) == i128::from(limit),
            "does not add up: {self:?}"
        );
        ensure!(debt == 0, "debt of {debt} though no answer costs more than its bound");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Books;

    const RIGHT: Books =
        Books { limit: 100, spent: 50, held: 20, suspense: 10, remaining: 20, debt: 0 };

    #[test]
    fn books_that_cover_the_bill_are_accepted() {
        RIGHT.judge(0).unwrap();
        RIGHT.judge(80).unwrap();
    }

    #[test]
    fn each_breach_is_objected_to() {
        let breach = |books: Books, billed: i64| books.judge(billed).unwrap_err().to_string();
        assert_eq!(breach(RIGHT, 101), "101 billed on a budget of 100");
        assert!(breach(RIGHT, 81).starts_with("81 billed, and only 80 accounted for"));
        assert!(breach(Books { remaining: 21, ..RIGHT }, 0).starts_with("does not add up"));
        assert!(breach(Books { debt: 1, ..RIGHT }, 0).starts_with("debt of 1"));
    }
}
