//! The books in memory, and the steps of a batch on a connection.

use std::collections::{BTreeSet, HashMap};

use journal::{Batch, Head};
use ledger::event::Claimed;
use ledger::{AccountId, Body, Digest, Event, Sequence, State, Undo, codec};
use sqlx::Row;
use sqlx::mysql::MySqlConnection;

use super::claims::Wanted;
use super::follow::{self, Failure};
use super::session::sql;
use super::{Shared, balances, batch, footprint, hex};
use crate::sequencer::{Submission, Work};

/// Holds that one batch makes room for, when their time has come.
const DUE_MAX: usize = 1_024;

/// See the module's story.
pub(super) struct Books {
    pub(super) state: State,
    /// The chain at the newest event that is committed and folded in.
    pub(super) head: Head,
    pub(super) claims: HashMap<Digest, Claimed>,
    pub(super) batch: Batch,
    /// Who writes: tells this service from others on the same books.
    instance: [u8; 16],
    events: Vec<Event>,
    undo: Undo,
    locked: BTreeSet<AccountId>,
    missed: BTreeSet<AccountId>,
    deciding: bool,
    /// May anybody ask for a claim before the next batch begins?
    wanted: bool,
    /// Accounts whose rows of balances are wrong, and whether anything of that was written down.
    breaks: Vec<balances::Break>,
    noted: bool,
    /// What others wrote could not be folded in: nothing more is told.
    broken: Option<String>,
}

/// A batch on its way, and the head once it has arrived.
pub(super) struct Sent {
    pub(super) packets: Vec<String>,
    pub(super) head: Head,
}

impl Books {
    /// Books that stand there.
    pub(super) fn new(state: State, head: Head, instance: [u8; 16]) -> Books {
        Books {
            state,
            head,
            claims: HashMap::new(),
            batch: Batch::new(),
            instance,
            events: Vec::new(),
            undo: Undo::new(),
            locked: BTreeSet::new(),
            missed: BTreeSet::new(),
            deciding: false,
            wanted: false,
            breaks: Vec::new(),
            noted: false,
            broken: None,
        }
    }

    /// Begins a batch. If it may be decided, the state then stands at the head, and nobody else moves it.
    pub(super) async fn begin(
        &mut self,
        connection: &mut MySqlConnection,
        shared: &Shared,
        batch: &[Submission],
        time: Option<i64>,
    ) -> Result<(), Failure> {
        self.forget_batch();
        let before = self.head.sequence;
        self.wanted = !batch.is_empty();
        // Claims first: one that is made meanwhile comes with its event, and none points beyond the head.
        Wanted::of(batch).look_up(connection, &mut self.claims).await?;
        self.take_in(connection, shared, false).await?;
        let commands = batch.iter().any(|one| self.may_write(&one.work));
        let due = time.filter(|time| self.state.due(*time).is_some());
        if time.is_some() && (commands || due.is_some() || self.head.sequence == 0) {
            return self.lock(connection, shared, batch, due).await;
        }
        if self.head.sequence != before {
            self.confirm(connection).await?;
        }
        Ok(())
    }

    /// May this become an event?
    fn may_write(&self, work: &Work) -> bool {
        match work {
            Work::Requests(_) | Work::Group { .. } => true,
            Work::Name(kind, text) => self.state.number_of(*kind, text).is_none(),
            Work::Query(_) | Work::ConfirmClock | Work::Stop => false,
        }
    }

    async fn lock(
        &mut self,
        connection: &mut MySqlConnection,
        shared: &Shared,
        batch: &[Submission],
        due: Option<i64>,
    ) -> Result<(), Failure> {
        let mut accounts = std::mem::take(&mut self.missed);
        footprint::of_batch(batch, &self.state, &mut accounts);
        if let Some(time) = due {
            let holds: Vec<Sequence> = self.state.due_by(time).take(DUE_MAX).collect();
            holds.into_iter().for_each(|hold| footprint::of_hold(hold, &self.state, &mut accounts));
        }
        sqlx::raw_sql("START TRANSACTION").execute(&mut *connection).await?;
        let rows = balances::lock(connection, &accounts).await?;
        self.take_in(connection, shared, true).await?;
        self.breaks = rows.breaks(&self.state);
        let as_of = self.head.sequence;
        self.noted = balances::note(connection, &self.breaks, as_of).await?;
        self.locked = accounts;
        self.deciding = true;
        Ok(())
    }

    /// Folds in what others have committed; with `lock`, under the head.
    async fn take_in(
        &mut self,
        connection: &mut MySqlConnection,
        shared: &Shared,
        lock: bool,
    ) -> Result<(), Failure> {
        if let Some(broken) = &self.broken {
            return Err(Failure::Damaged(broken.clone()));
        }
        let tip = follow::tip(connection, lock).await?;
        let to = tip.ok_or_else(|| Failure::Damaged("the row of ledger_head is missing".into()))?.head;
        if to.sequence < self.head.sequence {
            return Err(Failure::Damaged(format!(
                "the head went back from event {} to {}: if a backup was put in place, start again",
                self.head.sequence, to.sequence
            )));
        }
        if to.sequence == self.head.sequence && to.hash != self.head.hash {
            return Err(Failure::Damaged(format!("another history ends at event {}", to.sequence)));
        }
        while self.head.sequence < to.sequence {
            let (page, head) = follow::page(connection, self.head, to).await?;
            if let Err(failure) = self.fold(&page, shared) {
                self.broken = Some(failure.to_string());
                return Err(failure);
            }
            self.head = head;
        }
        Ok(())
    }

    /// Books that could not be folded are not used any more.
    fn fold(&mut self, page: &[Event], shared: &Shared) -> Result<(), Failure> {
        follow::fold(&mut self.state, page)?;
        for event in page {
            shared.facts.learn(event);
            // At the first start nobody asks for a claim, and there are as many as events.
            if self.wanted {
                event.claims(|digest, claimed| {
                    self.claims.insert(digest, claimed);
                });
            }
        }
        Ok(())
    }

    /// A commit of others may be seen a moment before it is on the disk. One of our own, after it, is answered
    /// only when both are: what is told after it cannot be taken back by a crash.
    async fn confirm(&self, connection: &mut MySqlConnection) -> Result<(), Failure> {
        let mut text = String::from("INSERT INTO service_instances (id,seen,at_us) VALUES (");
        hex::push(&mut text, &self.instance);
        text.push_str(&format!(
            ",{},CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)) \
             ON DUPLICATE KEY UPDATE seen=VALUES(seen),at_us=VALUES(at_us)",
            self.head.sequence
        ));
        sql(text).execute(connection).await?;
        Ok(())
    }

    /// May this hold end in the batch under way? Only if what it touches is held.
    pub(super) fn may_end(&self, hold: Sequence) -> bool {
        let Some(open) = self.state.hold(hold) else { return false };
        let receiver_held = open.to.is_none_or(|receiver| self.locked.contains(&receiver));
        self.deciding && receiver_held && self.locked.contains(&open.account)
    }

    /// Takes an event into state and batch; answers where its record stands.
    pub(super) fn accept(&mut self, event: &Event) -> u32 {
        debug_assert!(self.deciding, "a batch was begun");
        match event.body {
            // Nobody else knows it before the commit.
            Body::AccountOpened(_) => self.locked.extend(event.subject()),
            _ => {
                let accounts = event.entries.iter().map(|entry| entry.account);
                self.missed.extend(accounts.filter(|id| !self.locked.contains(id)));
            }
        }
        self.state.apply_undoable(event, &mut self.undo);
        event.claims(|digest, claimed| {
            self.claims.insert(digest, claimed);
        });
        self.events.push(event.clone());
        self.batch.push(|bytes| codec::encode(event, bytes))
    }

    /// Customers' accounts that nothing may be decided on, since their rows are wrong.
    pub(super) fn suspects(&self) -> Vec<AccountId> {
        let to_freeze = self.breaks.iter().filter(|found| found.freezes(&self.state));
        to_freeze.map(|found| found.account).collect()
    }

    /// Is there nothing to commit?
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && !self.noted
    }

    /// Was a transaction begun for this batch?
    pub(super) fn is_deciding(&self) -> bool {
        self.deciding
    }

    /// Did the batch touch what it does not hold?
    pub(super) fn has_missed(&self) -> bool {
        !self.missed.is_empty()
    }

    /// What there is to be sent.
    pub(super) fn to_send(&self) -> Sent {
        let (packets, head) = batch::packets(&self.events, &self.batch, self.head, &self.state);
        Sent { packets, head }
    }

    /// It is committed.
    pub(super) fn keep(&mut self, head: Head, shared: &Shared) {
        self.events.iter().for_each(|event| shared.facts.learn(event));
        self.head = head;
        self.undo.clear();
        self.deciding = false;
    }

    /// It is not: the books are as they were, with what others wrote.
    pub(super) fn take_back(&mut self) {
        self.state.take_back(&mut self.undo);
        self.events.clear();
        self.batch.clear();
        self.deciding = false;
    }

    /// Did the batch arrive after all? Asked under the head, so that nothing of it is still under way.
    pub(super) async fn has_arrived(&self, connection: &mut MySqlConnection) -> Result<bool, Failure> {
        sqlx::raw_sql("START TRANSACTION").execute(&mut *connection).await?;
        follow::tip(connection, true).await?;
        let (first, last) = (self.head.sequence + 1, self.state.head().0);
        let question =
            format!("SELECT record FROM events WHERE sequence BETWEEN {first} AND {last} ORDER BY sequence");
        let rows = sql(question).fetch_all(&mut *connection).await?;
        let mut arrived = rows.len() == self.events.len();
        for (row, record) in rows.iter().zip(self.batch.records()) {
            let there: Vec<u8> = row.try_get(0)?;
            arrived &= there == record.hashed();
        }
        sqlx::raw_sql("ROLLBACK").execute(connection).await?;
        Ok(arrived)
    }

    fn forget_batch(&mut self) {
        self.claims.clear();
        self.locked.clear();
        self.breaks.clear();
        self.noted = false;
        self.events.clear();
        self.batch.clear();
        self.undo.clear();
    }
}
