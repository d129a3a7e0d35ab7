//! The state as bytes, for a snapshot. Derived data: a version that does not fit is rebuilt from events.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{Account, AccountType, Side, Status};
use crate::currency::Currency;
use crate::date::Date;
use crate::event::NameKind;
use crate::ids::{AccountId, NameId, Sequence};
use crate::limits::SKIP_LEVELS;
use crate::state::State;
use crate::totals::Totals;
use crate::view::{BusinessDay, Hold};

/// Changes whenever the bytes below do; an older snapshot is then ignored.
const VERSION: u32 = 3;

/// The snapshot is of another version or cut short: ignore it and replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotASnapshot;

impl State {
    /// Hands the bytes of this state to `out`, piece by piece, in one order only.
    pub fn save(&self, out: &mut dyn FnMut(&[u8])) {
        out(&VERSION.to_be_bytes());
        out(&self.head.0.to_be_bytes());
        out(&self.time.to_be_bytes());
        out(&self.bank);
        out(&self.timeline.to_be_bytes());
        text(out, &self.bank_name);
        date(out, self.day.open);
        date(out, self.day.newest);
        out(&self.accounts.to_be_bytes());
        for (_, account) in self.accounts() {
            save_account(out, account);
        }
        out(&(self.holds.len() as u64).to_be_bytes());
        for (id, hold) in &self.holds {
            out(&id.0.to_be_bytes());
            out(&hold.account.0.to_be_bytes());
            out(&[hold.side as u8]);
            out(&hold.to.map_or(0, |to| to.0).to_be_bytes());
            out(&hold.amount.to_be_bytes());
            out(&hold.currency.numeric().to_be_bytes());
            out(&hold.expires_at.to_be_bytes());
        }
        out(&(self.reversed.len() as u64).to_be_bytes());
        for ((original, entry), amount) in &self.reversed {
            out(&original.0.to_be_bytes());
            out(&[*entry]);
            out(&amount.to_be_bytes());
        }
        out(&(self.late.sums().len() as u64).to_be_bytes());
        for ((account, booking, value), sum) in self.late.sums() {
            out(&account.0.to_be_bytes());
            out(&booking.0.to_be_bytes());
            out(&value.0.to_be_bytes());
            out(&sum.to_be_bytes());
        }
        out(&(self.names.len() as u64).to_be_bytes());
        for (kind, name) in &self.names {
            out(&[*kind as u8]);
            text(out, name);
        }
    }

    /// Reads what [`State::save`] wrote. `read` fills its argument or fails.
    ///
    /// # Errors
    /// [`NotASnapshot`] for another version, impossible values or too few bytes.
    pub fn load(read: &mut dyn FnMut(&mut [u8]) -> Result<(), NotASnapshot>) -> Result<State, NotASnapshot> {
        let mut input = Input(read);
        if u32::from_be_bytes(input.bytes()?) != VERSION {
            return Err(NotASnapshot);
        }
        let mut state = State {
            head: Sequence(input.u64()?),
            time: input.u64()? as i64,
            bank: input.bytes()?,
            timeline: u32::from_be_bytes(input.bytes()?),
            bank_name: input.text()?,
            day: BusinessDay { open: input.date()?, newest: input.date()? },
            ..State::default()
        };
        for _ in 0..input.u64()? {
            let account = input.account()?;
            state.push_account(account);
        }
        state.totals = Totals::of(state.accounts().map(|(_, account)| account)).ok_or(NotASnapshot)?;
        let mut holds = BTreeMap::new();
        let mut due = BTreeSet::new();
        for _ in 0..input.u64()? {
            let id = Sequence(input.u64()?);
            let account = AccountId(input.u64()?);
            let side = input.side()?;
            let to = Some(AccountId(input.u64()?)).filter(|to| to.0 != 0);
            let amount = input.u64()? as i64;
            let currency = input.currency()?;
            let expires_at = input.u64()? as i64;
            holds.insert(id, Hold { account, side, to, amount, currency, expires_at });
            due.insert((expires_at, id));
        }
        (state.holds, state.due) = (holds, due);
        for _ in 0..input.u64()? {
            let key = (Sequence(input.u64()?), input.bytes::<1>()?[0]);
            let amount = input.u64()? as i64;
            state.reversed.insert(key, amount);
        }
        for _ in 0..input.u64()? {
            let account = AccountId(input.u64()?);
            let dates = (account, input.days()?, input.days()?);
            state.late.restore(dates, i128::from_be_bytes(input.bytes()?));
        }
        for number in 0..input.u64()? {
            let kind = NameKind::from_number(input.bytes::<1>()?[0]).ok_or(NotASnapshot)?;
            let name = input.text()?;
            state.names.push((kind, name.clone()));
            state.numbers.insert((kind, name), NameId(number as u32 + 1));
        }
        Ok(state)
    }
}

fn text(out: &mut dyn FnMut(&[u8]), text: &str) {
    out(&(text.len() as u16).to_be_bytes());
    out(text.as_bytes());
}

fn date(out: &mut dyn FnMut(&[u8]), date: Option<Date>) {
    out(&date.map_or(i32::MIN, |date| date.0).to_be_bytes());
}

/// Bytes of an account: six totals, four numbers, the skips, five small values.
const ACCOUNT: usize = 6 * 16 + 4 * 8 + SKIP_LEVELS * 8 + 12;

fn save_account(out: &mut dyn FnMut(&[u8]), account: &Account) {
    let (posted, held, released, skips, open_holds) = account.parts();
    let mut bytes = [0u8; ACCOUNT];
    let mut at = 0;
    let mut put = |value: &[u8]| {
        bytes[at..at + value.len()].copy_from_slice(value);
        at += value.len();
    };
    for total in [posted, held, released].as_flattened() {
        put(&total.to_be_bytes());
    }
    for number in [account.version, account.last.0, account.overdraft_limit as u64, account.opened.0] {
        put(&number.to_be_bytes());
    }
    for skip in skips {
        put(&skip.to_be_bytes());
    }
    put(&account.owner.0.to_be_bytes());
    put(&account.currency().numeric().to_be_bytes());
    put(&[account.account_type as u8, account.status as u8]);
    put(&open_holds.to_be_bytes());
    out(&bytes);
}

struct Input<'a>(&'a mut dyn FnMut(&mut [u8]) -> Result<(), NotASnapshot>);

impl Input<'_> {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], NotASnapshot> {
        let mut bytes = [0; N];
        (self.0)(&mut bytes)?;
        Ok(bytes)
    }

    fn u64(&mut self) -> Result<u64, NotASnapshot> {
        Ok(u64::from_be_bytes(self.bytes()?))
    }

    fn text(&mut self) -> Result<Box<str>, NotASnapshot> {
        let mut bytes = vec![0; usize::from(u16::from_be_bytes(self.bytes()?))];
        (self.0)(&mut bytes)?;
        String::from_utf8(bytes).map(Into::into).map_err(|_| NotASnapshot)
    }

    fn days(&mut self) -> Result<Date, NotASnapshot> {
        Ok(Date(i32::from_be_bytes(self.bytes()?)))
    }

    fn date(&mut self) -> Result<Option<Date>, NotASnapshot> {
        Ok(Some(self.days()?).filter(|date| date.0 != i32::MIN))
    }

    fn side(&mut self) -> Result<Side, NotASnapshot> {
        match self.bytes::<1>()?[0] {
            0 => Ok(Side::Debit),
            1 => Ok(Side::Credit),
            _ => Err(NotASnapshot),
        }
    }

    fn currency(&mut self) -> Result<Currency, NotASnapshot> {
        Currency::from_numeric(u16::from_be_bytes(self.bytes()?)).ok_or(NotASnapshot)
    }

    fn account(&mut self) -> Result<Account, NotASnapshot> {
        let bytes: [u8; ACCOUNT] = self.bytes()?;
        let total = |index: usize| u128::from_be_bytes(bytes[index * 16..][..16].try_into().expect("16"));
        let number = |index: usize| u64::from_be_bytes(bytes[96 + index * 8..][..8].try_into().expect("8"));
        let small = &bytes[96 + 32 + SKIP_LEVELS * 8..];
        let currency = u16::from_be_bytes([small[4], small[5]]);
        let mut account = Account::new(
            AccountType::from_number(small[6]).ok_or(NotASnapshot)?,
            Currency::from_numeric(currency).ok_or(NotASnapshot)?,
            NameId(u32::from_be_bytes(small[..4].try_into().expect("4"))),
            Status::from_number(small[7]).ok_or(NotASnapshot)?,
            number(2) as i64,
            Sequence(number(3)),
        );
        account.version = number(0);
        account.last = Sequence(number(1));
        account.set_parts((
            [total(0), total(1)],
            [total(2), total(3)],
            [total(4), total(5)],
            std::array::from_fn(|level| number(4 + level)),
            u32::from_be_bytes(small[8..].try_into().expect("4")),
        ));
        Ok(account)
    }
}
