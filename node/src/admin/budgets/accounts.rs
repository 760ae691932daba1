//! Which accounts a budget has.

use super::shape::window_out;
use api::admin::{Answer, Problem, Window};
use ledger::{AccountId, Budget, BudgetWindow, Instance, Ledger, Per};

/// Whether all that are charged to a budget share its accounts.
pub(crate) fn is_shared_by_all(budget: &Budget) -> bool {
    match budget.per {
        Per::All => true,
        Per::Key | Per::User | Per::Tag | Per::Session { .. } => false,
    }
}

/// Subjects of a budget that is not shared by all, in order, with their instances.
pub(crate) fn instances<'l>(
    ledger: &'l Ledger,
    budget: &Budget,
) -> impl Iterator<Item = (&'l str, &'l Instance)> + use<'l> {
    let handle = budget.handle;
    let from_here = ledger.instances.range((handle, String::new())..);
    from_here
        .take_while(move |((of, _), _)| *of == handle)
        .map(|((_, subject), instance)| (subject.as_str(), instance))
}

/// All accounts of a budget: its own, or those of its instances.
pub(crate) fn all<'b>(
    ledger: &Ledger,
    budget: &'b Budget,
) -> impl Iterator<Item = (AccountId, BudgetWindow)> + use<'b> {
    let handles: Vec<u64> = match is_shared_by_all(budget) {
        true => vec![budget.handle],
        false => instances(ledger, budget).map(|(_, instance)| instance.handle).collect(),
    };
    handles.into_iter().flat_map(|handle| budget.accounts_under(handle))
}

/// Which account an operator means.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meant<'a> {
    /// Which window; may be absent where the budget has only one.
    pub(super) window: Option<Window>,
    /// Whose, of a budget that is not shared by all.
    pub(super) subject: Option<&'a str>,
    /// Put before the names of the fields.
    pub(super) prefix: &'static str,
}

/// The account that is meant.
pub(super) fn find(ledger: &Ledger, budget: &Budget, meant: Meant<'_>) -> Answer<AccountId> {
    let field = |name: &str| format!("{}{name}", meant.prefix);
    let handle = match (is_shared_by_all(budget), meant.subject) {
        (true, None) => budget.handle,
        (true, Some(_)) => {
            let say = format!("is given, and all share budget {:?}", budget.name);
            return Err(Problem::invalid(field("subject"), say));
        }
        (false, None) => {
            let say = format!("is missing: say whose part of budget {:?} is meant", budget.name);
            return Err(Problem::invalid(field("subject"), say)
                .fix("GET /admin/v1/budgets/{name}/instances lists them"));
        }
        (false, Some(subject)) => {
            let instance = ledger.instances.get(&(budget.handle, subject.to_owned()));
            let none = || {
                let say = format!("{subject:?} has no accounts of budget {:?}", budget.name);
                Problem::invalid(field("subject"), say)
            };
            instance.ok_or_else(none)?.handle
        }
    };
    let mut fits = budget
        .accounts_under(handle)
        .filter(|(_, has)| meant.window.is_none_or(|window| window_out(has.window) == window));
    match (fits.next(), fits.next()) {
        (Some((account, _)), None) => Ok(account),
        (None, _) => Err(Problem::invalid(field("window"), "is none of this budget's")),
        (Some(_), Some(_)) => {
            let say = "is missing: the budget has several, name one";
            Err(Problem::invalid(field("window"), say))
        }
    }
}
