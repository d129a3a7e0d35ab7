//! Cash over a drawer: deposit and withdrawal are one body with two directions.

use axum::http::StatusCode;
use ledger::command::Movement;
use ledger::{AccountId, Command};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::making::Making;
use crate::http::problem::Problem;
use crate::http::submit::note;
use crate::http::wire::{AccountIdText, Amount, Clean, value_date};
use crate::identity::{Action, Object, Role};

/// Cash in or out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CashBody<'a> {
    /// The customer's account.
    account_id: AccountIdText,
    /// How much, above zero.
    #[serde(borrow)]
    amount: Amount<'a>,
    /// The currency of the account and of the drawer.
    #[schema(example = "BDT")]
    currency: Clean<'a>,
    /// Free text for the statement, at most 512 bytes.
    description: Option<Clean<'a>>,
    /// Your business name for it, searchable, at most 128 bytes.
    reference: Option<Clean<'a>>,
    /// The drawer that the cash goes through; the API key's own if absent. A banker has no other.
    drawer_account_id: Option<AccountIdText>,
    /// The day from which it counts for interest; today's booking date if absent.
    #[schema(example = "2026-11-22")]
    value_date: Option<Clean<'a>>,
}

/// Which way the cash goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::http) enum Direction {
    /// Into the drawer.
    In,
    /// Out of the drawer.
    Out,
}

impl Direction {
    fn action(self) -> Action {
        match self {
            Direction::In => Action::Deposit,
            Direction::Out => Action::Withdraw,
        }
    }
}

impl CashBody<'_> {
    /// Checks the form and the policy, and makes the ledger's request of it.
    pub(in crate::http) fn request(
        &self,
        direction: Direction,
        making: &Making<'_>,
    ) -> Result<ledger::Request, Problem> {
        let currency = making.currency(&self.currency)?;
        let amount = self.amount.positive("amount", currency)?;
        let caller = making.caller;
        let named = self.drawer_account_id.map(|id| id.0);
        let account = self.account_id.0;
        let may = |drawer: AccountId| {
            let cash = Object::Cash { account: making.account(account), drawer: drawer.0 };
            caller.may(direction.action(), cash)
        };
        let Some(drawer) = named.or(caller.credential.drawer.map(AccountId)) else {
            // A teller without a drawer lacks one; whoever has no counter at all may not do this.
            if caller.credential.role != Role::Banker {
                may(AccountId(0))?;
            }
            return Err(no_drawer());
        };
        may(drawer)?;
        let command = match direction {
            Direction::In => Command::Deposit(Movement { from: drawer, to: account, amount, currency }),
            Direction::Out => Command::Withdraw(Movement { from: account, to: drawer, amount, currency }),
        };
        let mut request = caller.request(command);
        request.note = note(self.reference.as_ref(), self.description.as_ref());
        request.value = value_date(self.value_date.as_ref())?;
        Ok(request)
    }
}

fn no_drawer() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "drawer_required",
        "No drawer",
        "Cash goes through a drawer: this API key has none of its own, and the request names none.",
        "Name drawer_account_id, or use the API key of a teller.",
    )
}
