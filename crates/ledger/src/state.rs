//! The state of the books: everything the rules look at, folded from events.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{Account, Side};
use crate::currency::Currency;
use crate::date::Date;
use crate::digest::Digest;
use crate::event::{Body, Claimed, Event, NameKind};
use crate::ids::{AccountId, NameId, Sequence};
use crate::late::{self, LateList};
use crate::limits::NEVER;
use crate::rules::overlay_hold;
use crate::totals::{Total, Totals};
use crate::view::{BusinessDay, Hold, View};

/// Accounts are kept in chunks: a table that grows in one go stalls everybody while it is copied.
const CHUNK: usize = 4_096;

/// The books in memory. Claims are kept by the store, since they outgrow memory.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct State {
    pub(crate) head: Sequence,
    pub(crate) time: i64,
    pub(crate) bank: [u8; 16],
    pub(crate) timeline: u32,
    pub(crate) bank_name: Box<str>,
    pub(crate) chunks: Vec<Vec<Account>>,
    pub(crate) accounts: u64,
    // Ordered maps, because they grow without ever stopping to copy themselves.
    pub(crate) holds: BTreeMap<Sequence, Hold>,
    pub(crate) due: BTreeSet<(i64, Sequence)>,
    pub(crate) reversed: BTreeMap<(Sequence, u8), i64>,
    pub(crate) late: LateList,
    pub(crate) totals: Totals,
    pub(crate) day: BusinessDay,
    pub(crate) names: Vec<(NameKind, Box<str>)>,
    pub(crate) numbers: BTreeMap<(NameKind, Box<str>), NameId>,
}

impl State {
    /// Empty books.
    #[must_use]
    pub fn new() -> State {
        State::default()
    }

    /// The newest event that was applied.
    #[must_use]
    pub fn head(&self) -> Sequence {
        self.head
    }

    /// The time of the newest event, microseconds since 1970.
    #[must_use]
    pub fn time(&self) -> i64 {
        self.time
    }

    /// The bank's identity and timeline, once it was opened.
    #[must_use]
    pub fn bank(&self) -> ([u8; 16], u32) {
        (self.bank, self.timeline)
    }

    /// What the bank calls itself.
    #[must_use]
    pub fn bank_name(&self) -> &str {
        &self.bank_name
    }

    /// How many accounts there are; their ids are 1 to this number.
    #[must_use]
    pub fn account_count(&self) -> u64 {
        self.accounts
    }

    /// How many names there are; their numbers are 1 to this number.
    #[must_use]
    pub fn name_count(&self) -> u32 {
        self.names.len() as u32
    }

    /// All accounts in the order of their ids.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.chunks.iter().flatten().zip(1..).map(|(account, id)| (AccountId(id), account))
    }

    /// What all accounts of one currency and type add up to, in the order in which the first of them was opened.
    #[must_use]
    pub fn totals(&self) -> &[Total] {
        self.totals.lines()
    }

    /// All open holds.
    pub fn holds(&self) -> impl Iterator<Item = (Sequence, &Hold)> {
        self.holds.iter().map(|(id, hold)| (*id, hold))
    }

    /// The hold that expires next, if it is due at `time`.
    #[must_use]
    pub fn due(&self, time: i64) -> Option<Sequence> {
        self.due.first().filter(|(expires_at, _)| *expires_at <= time).map(|(_, hold)| *hold)
    }

    /// All holds that are due at `time`, earliest first.
    pub fn due_by(&self, time: i64) -> impl Iterator<Item = Sequence> + '_ {
        self.due.iter().take_while(move |(expires_at, _)| *expires_at <= time).map(|(_, hold)| *hold)
    }

    /// When the next hold expires, microseconds since 1970. None while there are only prepared ones.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        self.due.first().map(|(expires_at, _)| *expires_at).filter(|expires_at| *expires_at < NEVER)
    }

    /// The account with this id.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        let index = id.0.checked_sub(1)? as usize;
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    /// The open hold with this id.
    #[must_use]
    pub fn hold(&self, id: Sequence) -> Option<&Hold> {
        self.holds.get(&id)
    }

    /// The name behind a number.
    #[must_use]
    pub fn name_of(&self, id: NameId) -> Option<(NameKind, &str)> {
        let (kind, text) = self.names.get((id.0.checked_sub(1)?) as usize)?;
        Some((*kind, text))
    }

    /// The number of a name.
    #[must_use]
    pub fn number_of(&self, kind: NameKind, text: &str) -> Option<NameId> {
        // The key owns its text; names are looked up when a credential is first used, not on the money path.
        self.numbers.get(&(kind, text.into())).copied()
    }

    /// The business day.
    #[must_use]
    pub fn day(&self) -> BusinessDay {
        self.day
    }

    /// How much of an entry of a transaction has been reversed, minor units.
    #[must_use]
    pub fn reversed(&self, original: Sequence, entry: u8) -> i64 {
        self.reversed.get(&(original, entry)).copied().unwrap_or(0)
    }

    /// The entries of a transaction of which something has been reversed, by position, with how much.
    pub fn reversals(&self, original: Sequence) -> impl Iterator<Item = (u8, i64)> + '_ {
        self.reversed.range((original, 0)..=(original, u8::MAX)).map(|((_, entry), amount)| (*entry, *amount))
    }

    /// What turns an account's ledger balance at the end of a booking date into the one by value date, on its
    /// normal side in minor units. None if the day is settled: then only its history knows.
    #[must_use]
    pub fn late(&self, id: AccountId, date: Date) -> Option<i128> {
        if self.day.newest.is_some_and(|newest| late::is_settled(date, newest)) {
            return None;
        }
        let normal = self.account(id).map_or(Side::Debit, Account::normal_side);
        let debits = self.late.correction(id, date);
        Some(if normal == Side::Debit { debits } else { -debits })
    }

    /// Looks at these accounts, one after the other and without depending on what is there, so that their
    /// cache misses overlap instead of adding up later.
    pub fn touch(&self, accounts: impl Iterator<Item = AccountId>) {
        let versions = accounts.map(|id| self.account(id).map_or(0, |account| account.version));
        std::hint::black_box(versions.fold(0, |seen, version| seen ^ version));
    }

    /// This state as the rules see it, with the claims that the store keeps.
    pub fn view<C: Fn(&Digest) -> Option<Claimed>>(&self, claims: C) -> StateView<'_, C> {
        StateView { state: self, claims }
    }

    /// Folds an event in.
    ///
    /// # Panics
    /// If the event does not follow from these books: a gap in the sequence, a link, version or balance
    /// that does not come out. Then something is deeply wrong and nothing may go on.
    pub fn apply(&mut self, event: &Event) {
        assert_eq!(event.sequence, self.head.next(), "events come without gaps");
        assert!(event.time >= self.time, "time never goes backwards at {}", event.sequence);
        self.head = event.sequence;
        self.time = event.time;
        if let Body::AccountOpened(opening) = &event.body {
            let account = Account::new(
                opening.account_type,
                opening.currency,
                opening.owner,
                opening.status,
                opening.overdraft_limit,
                event.sequence,
            );
            self.totals.opened(&account);
            self.push_account(account);
        }
        for entry in &event.entries {
            let account = self.account_mut(entry.account);
            entry.fold(account, event.sequence);
            let account_type = account.account_type;
            self.totals.fold(entry, account_type);
        }
        self.apply_body(event);
    }

    fn apply_body(&mut self, event: &Event) {
        match &event.body {
            Body::BankOpened { bank, timeline, name } => {
                (self.bank, self.timeline, self.bank_name) = (*bank, *timeline, name.clone());
            }
            Body::Named { id, kind, text } => {
                self.names.push((*kind, text.clone()));
                assert_eq!(id.0 as usize, self.names.len(), "names are numbered without gaps");
                self.numbers.insert((*kind, text.clone()), *id);
            }
            Body::AccountChanged { status, overdraft_limit } => {
                let account = self.account_mut(event.subject().expect("a change names its account"));
                if let Some((_, after)) = status {
                    account.status = *after;
                }
                if let Some((_, after)) = overdraft_limit {
                    account.overdraft_limit = *after;
                }
            }
            Body::HoldPlaced { expires_at } => {
                self.holds.insert(event.sequence, overlay_hold(event, *expires_at));
                self.due.insert((*expires_at, event.sequence));
            }
            Body::HoldEnded { hold, .. } => self.end_hold(*hold),
            Body::Posted { hold, reverses, .. } => {
                assert_balanced(event);
                if event.value != event.booking {
                    self.late.add(event);
                }
                if let Some(hold) = hold {
                    self.end_hold(*hold);
                }
                if let Some((original, indices)) = reverses {
                    for (index, entry) in indices.iter().zip(event.posted()) {
                        *self.reversed.entry((*original, *index)).or_default() += entry.amount;
                    }
                }
            }
            Body::DayOpened { date } => self.day = BusinessDay { open: Some(*date), newest: Some(*date) },
            Body::DayClosed { .. } => self.day.open = None,
            Body::AccountOpened(_) | Body::Refused(_) | Body::Group { .. } => {}
        }
    }

    pub(crate) fn push_account(&mut self, account: Account) {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        self.chunks.last_mut().expect("just made").push(account);
        self.accounts += 1;
    }

    /// Takes the newest account back.
    pub(crate) fn pop_account(&mut self) {
        let chunk = self.chunks.last_mut().expect("an account was opened");
        chunk.pop();
        if chunk.is_empty() {
            self.chunks.pop();
        }
        self.accounts -= 1;
    }

    pub(crate) fn account_mut(&mut self, id: AccountId) -> &mut Account {
        let index = id.0.wrapping_sub(1) as usize;
        &mut self.chunks[index / CHUNK][index % CHUNK]
    }

    pub(crate) fn end_hold(&mut self, id: Sequence) {
        let hold = self.holds.remove(&id).expect("a hold ends once");
        assert!(self.due.remove(&(hold.expires_at, id)), "every open hold is due some day");
    }
}

/// The second look at what the rules have checked: whoever wrote the event, money neither appears nor vanishes.
fn assert_balanced(event: &Event) {
    if let [one, other] = event.entries.as_slice() {
        let mirrored = one.side != other.side && one.amount == other.amount && one.currency == other.currency;
        assert!(mirrored, "transaction {} does not balance", event.sequence);
        return;
    }
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for entry in event.posted() {
        let amount = i128::from(entry.amount);
        *sums.entry(entry.currency).or_default() += if entry.side == Side::Debit { amount } else { -amount };
    }
    assert!(sums.values().all(|sum| *sum == 0), "transaction {} does not balance", event.sequence);
}

/// [`State`] and claims, as the rules see them.
pub struct StateView<'a, C> {
    state: &'a State,
    claims: C,
}

impl<C: Fn(&Digest) -> Option<Claimed>> View for StateView<'_, C> {
    fn account(&self, id: AccountId) -> Option<&Account> {
        self.state.account(id)
    }
    fn hold(&self, id: Sequence) -> Option<&Hold> {
        self.state.hold(id)
    }
    fn reversed(&self, original: Sequence, entry: u8) -> i64 {
        self.state.reversed(original, entry)
    }
    fn day(&self) -> BusinessDay {
        self.state.day
    }
    fn next_account(&self) -> AccountId {
        AccountId(self.state.accounts + 1)
    }
    fn next_name(&self) -> NameId {
        NameId(self.state.names.len() as u32 + 1)
    }
    fn name(&self, kind: NameKind, text: &str) -> Option<NameId> {
        self.state.number_of(kind, text)
    }
    fn claimed(&self, digest: &Digest) -> Option<Claimed> {
        (self.claims)(digest)
    }
}
