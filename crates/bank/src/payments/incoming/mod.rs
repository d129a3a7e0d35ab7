//! Incoming payments: credited once by the other side's reference.
//!
//! ```text
//!  received ──► credited              to whom is written down before anything is posted, so that whoever goes on
//!      │ the books refuse             after a crash posts the same under the same key
//!      ├──► refused                   it was submitted: whoever asks is told, and has the money still
//!      ▼
//!  to_suspense ──► suspended + case   a notice told of it: the money is here already
//! ```
//! There are two ways to hear of one. A **notice** says that money has come; whoever cannot be credited leaves it in
//! suspense. A **submission** asks us to credit somebody, as another bankcore does in mode `saga`: it is answered
//! with `settled` or `rejected`, for good, or cancelled before it comes.
//!
//! The row's id, and with it the keys in the books, is made of rail and reference: with a row that is lost the credit is
//! not, and is found again under the same key.
//!
//! | module | noun |
//! |---|---|
//! | `arrival` | what is told of money for somebody here, written down once |
//! | `credit` | a step in the books |
//! | `submission` | what another bank asks, and the answer |

mod arrival;
mod credit;
mod submission;

pub use arrival::{Arrival, Received};

use ledger::{AccountId, Currency, Digest};
use uuid::Uuid;

use super::rows::{self, Row, id, int, optional_int, optional_text, text};

/// Where an incoming payment stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Received,
    ToSuspense,
    Credited,
    Suspended,
    Refused,
}

impl State {
    /// The word in the column. A refused one stays received, with the code of its refusal beside it.
    fn name(self) -> &'static str {
        match self {
            State::Received | State::Refused => "received",
            State::ToSuspense => "to_suspense",
            State::Credited => "credited",
            State::Suspended => "suspended",
        }
    }

    fn named(name: &str, refused: bool) -> Option<State> {
        if refused {
            return Some(State::Refused);
        }
        let states = [State::Received, State::ToSuspense, State::Credited, State::Suspended];
        states.into_iter().find(|state| state.name() == name)
    }
}

/// The part of a row that is needed to go on.
#[derive(Clone)]
struct Incoming {
    id: Uuid,
    rail: String,
    reference: String,
    fingerprint: Digest,
    amount: i64,
    currency: Currency,
    description: Option<String>,
    /// It was submitted: somebody waits for the answer.
    asked: bool,
    state: State,
    /// Why it was refused.
    code: Option<String>,
    attempt: u32,
    version: i64,
    account: Option<AccountId>,
}

const COLUMNS: &str = "id, rail, reference, fingerprint, amount, currency, description, asked, state, code, attempt, version, \
                       account_id";

fn read(row: &Row) -> Result<Incoming, sqlx::Error> {
    let (state, currency) = (text(row, "state")?, text(row, "currency")?);
    let code = optional_text(row, "code")?;
    let fingerprint: Vec<u8> = sqlx::Row::try_get(row, "fingerprint")?;
    Ok(Incoming {
        id: id(row, "id")?,
        rail: text(row, "rail")?,
        reference: text(row, "reference")?,
        fingerprint: Digest(fingerprint.try_into().map_err(|_| rows::strange("fingerprint", "no digest"))?),
        amount: int(row, "amount")?,
        currency: Currency::from_code(&currency).ok_or_else(|| rows::strange("currency", &currency))?,
        description: optional_text(row, "description")?,
        asked: int(row, "asked")? != 0,
        state: State::named(&state, code.is_some()).ok_or_else(|| rows::strange("state", &state))?,
        code,
        attempt: u32::try_from(int(row, "attempt")?).unwrap_or(u32::MAX),
        version: int(row, "version")?,
        account: optional_int(row, "account_id")?.map(|id| AccountId(id.cast_unsigned())),
    })
}
