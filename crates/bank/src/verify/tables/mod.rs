//! The proof for books in a database: the same walk and the same fold over `events`, and every other table row by
//! row beside what those events say.
//!
//! ```text
//!  one moment of the database (repeatable read)
//!    events, a page ─► gaps, chain, record ─► event ─► own fold ([`books`](super::books))
//!      │                                        └────► the rows that it calls for
//!      └─ rows of those events in every table ◄── compared ──┘
//!    at the end: accounts, balances, names and head beside the fold · originals beside reversals · guards ·
//!                API keys and the audit trail, of which business days name hashes
//! ```
//! Pages go along the order of events in all tables at once, so memory is bounded by a page, and by what the fold
//! keeps: accounts, names, open holds. Sums of a transaction follow: its rows are its event's, and those balance.
//!
//! A chain over all events says that one was changed, not which. The rows beside it do.

mod ends;
mod guards;
mod people;
mod shapes;
mod snapshots;
mod table;

use std::collections::HashSet;
use std::path::Path;

use journal::{Batch, Head};
use ledger::{Event, codec};
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

use super::audit::Anchored;
use super::books::Books;
use super::findings::{Findings, Subject, Tally};
use super::payments::Begun;
use super::report::{Check, Damage, Report};
use super::{Progress, walk};
use crate::sequencer::{Clock, SystemClock};
use crate::store::mysql::moment::{self, Moment};
use crate::store::mysql::{OpenError, Settings};
use table::Table;

/// Events of a page. Each has at most 128 entries.
const PAGE: u64 = 1_024;

/// Verifies the books behind a URL, and API keys and audit trail beside them. What is wrong is in the report; progress
/// is told in events. `data` is the folder of a service: a `bank.db` of the last version in it is spoken of.
///
/// # Errors
/// What kept it from looking at all, or to the end.
pub async fn verify_database(
    settings: &Settings,
    data: &Path,
    mut progress: Progress,
) -> Result<Report, OpenError> {
    let mut clock = SystemClock::new();
    let mut moment = Moment::open(settings).await?;
    let snapshots = snapshots::Waiting::open(&mut moment).await?;
    let mut walk = Walk::new(&moment, snapshots);
    while walk.goes_on() {
        walk.page(&mut moment).await?;
        progress(walk.head.sequence, moment.head.sequence);
    }
    let (mut report, anchors, begun) = walk.settle(&mut moment).await?;
    report.add(people::check(&mut moment, &anchors, data).await?);
    report.add(payments(&mut moment, &begun).await?);
    report.seconds = clock.monotonic() as f64 / 1e6;
    Ok(report)
}

/// Compares the payments that the books have begun with those that the bank database knows.
async fn payments(moment: &mut Moment, begun: &Begun) -> Result<Check, OpenError> {
    let mut known = HashSet::new();
    for question in begun.questions() {
        for row in moment.rows(question).await? {
            known.insert(row.try_get(0).map_err(strange)?);
        }
    }
    Ok(begun.settle(&known))
}

/// An answer that does not have the columns that were asked for: tables that are not ours.
fn strange(error: sqlx::Error) -> OpenError {
    OpenError::Damaged(error.to_string())
}

struct Walk {
    head: Head,
    chain: Tally,
    /// What ends the walk before its time.
    broken: Option<Damage>,
    found: Findings,
    books: Books,
    tables: Vec<Table>,
    snapshots: snapshots::Waiting,
    anchors: Vec<Anchored>,
    begun: Begun,
    /// A record at a time, encoded again.
    again: Batch,
    ended: bool,
}

impl Walk {
    fn new(moment: &Moment, snapshots: snapshots::Waiting) -> Walk {
        Walk {
            head: Head::start(&moment.identity),
            chain: Tally::default(),
            broken: None,
            found: Findings::new(),
            books: Books::without_skips(),
            tables: shapes::OF_EVENTS.iter().map(Table::new).collect(),
            snapshots,
            anchors: Vec::new(),
            begun: Begun::default(),
            again: Batch::new(),
            ended: false,
        }
    }

    fn goes_on(&self) -> bool {
        self.broken.is_none() && !self.ended
    }

    /// A page of events, and of the rows that belong to them. The first begins at zero, the last has no end:
    /// there may be rows where no event ever was.
    async fn page(&mut self, moment: &mut Moment) -> Result<(), OpenError> {
        let first = if self.head.sequence == 0 { 0 } else { self.head.sequence + 1 };
        let newest = moment.head.sequence;
        let last = self.head.sequence.saturating_add(PAGE).min(newest);
        let end = if last == newest { u64::MAX } else { last };
        self.ended = last == newest;
        let question = format!(
            "SELECT sequence, CAST(kind AS UNSIGNED), CAST(variant AS UNSIGNED), record FROM events \
             WHERE sequence BETWEEN {first} AND {end} ORDER BY sequence LIMIT {}",
            PAGE + 1
        );
        let mut expected = shapes::Rows::default();
        for row in moment.rows(question).await? {
            self.record(&row, newest, &mut expected).map_err(strange)?;
            if self.broken.is_some() {
                return Ok(());
            }
            let Walk { snapshots, head, books, found, .. } = self;
            snapshots.passed(moment, *head, books, found).await?;
        }
        if self.head.sequence != last {
            let missing = self.head.sequence + 1;
            self.break_off(missing, missing, "it is missing".into());
            return Ok(());
        }
        for (table, expected) in self.tables.iter_mut().zip(&expected) {
            let question = table.shape.question(first, end, None);
            let rows: Result<Vec<_>, _> = moment.rows(question).await?.iter().map(table::read).collect();
            let place = |row: &table::Row| Some(row.by).filter(|by| (1..=newest).contains(by));
            table.compare(expected, &rows.map_err(strange)?, place);
        }
        Ok(())
    }

    fn record(&mut self, row: &MySqlRow, newest: u64, rows: &mut shapes::Rows) -> Result<(), sqlx::Error> {
        let (sequence, kind, variant): (u64, u64, u64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let record: Vec<u8> = row.try_get(3)?;
        self.chain.checked();
        let due = self.head.sequence + 1;
        if sequence != due || sequence > newest {
            let what = if sequence > newest { "it is beyond the head" } else { "it is missing" };
            self.break_off(if sequence > newest { sequence } else { due }, due, what.into());
            return Ok(());
        }
        self.head = self.head.next(&record);
        self.found.checked(Subject::Events);
        let event = match moment::event(record.clone(), sequence) {
            Ok(event) => event,
            Err(why) => {
                self.break_off(sequence, sequence, why);
                return Ok(());
            }
        };
        let same = self.is_encoding(&event, &record);
        self.found
            .expect(same, Subject::Events, sequence, || "the record is not the encoding of its event".into());
        let says = (u64::from(record[0]), u64::from(record[1]));
        self.found.expect((kind, variant) == says, Subject::Events, sequence, || {
            format!("table events, row sequence {sequence}: kind and variant are {kind} and {variant}, the record says {says:?}")
        });
        self.books.fold(&event, &mut self.found);
        self.anchors.extend(walk::anchor(&event).map(|anchor| (sequence, anchor)));
        self.begun.passed(&event);
        shapes::rows(&event, record[0], rows);
        Ok(())
    }

    fn is_encoding(&mut self, event: &Event, record: &[u8]) -> bool {
        self.again.clear();
        self.again.push(|bytes| codec::encode(event, bytes));
        self.again.records().next().is_some_and(|again| again.hashed() == record)
    }

    /// Nothing can be said of what comes after.
    fn break_off(&mut self, row: u64, sequence: u64, what: String) {
        self.chain.wrong(Some(sequence), format!("event {row}: {what}"));
        let row = Some(format!("sequence {row}"));
        self.broken = Some(Damage { table: Some("events"), row, ..Damage::new(Some(sequence), what) });
    }

    /// What must hold at the end.
    async fn settle(mut self, moment: &mut Moment) -> Result<(Report, Vec<Anchored>, Begun), OpenError> {
        let mut shown = vec![guards::check(moment).await?];
        if self.broken.is_none() {
            self.books.settle(&mut self.found);
            self.snapshots.settle(&mut self.found);
            self.originals(moment).await?;
            self.tables.extend(ends::compare(moment, &self.books, self.head).await?);
            shown.extend(ends::shown(moment).await?);
        }
        let (transactions, accounts) = (self.books.transactions, self.books.accounts.len() as u64);
        let folded = self.found.first().map(|(sequence, what)| Damage::new(sequence, what));
        let unused = |subject| matches!(subject, Subject::Keys | Subject::References);
        let mut checks = vec![self.chain.into_check("chain")];
        checks.extend(self.found.into_checks_of(|subject| !unused(subject)));
        let mut damages = vec![self.broken];
        for (check, damage) in self.tables.into_iter().map(Table::into_parts) {
            checks.push(check);
            damages.push(damage);
        }
        // Of one event, a row is the better place.
        damages.push(folded);
        let damage = damages.into_iter().flatten().min_by_key(|damage| damage.sequence.unwrap_or(u64::MAX));
        let mut report = Report {
            identity: moment.identity,
            head: self.head,
            events: self.head.sequence,
            transactions,
            accounts,
            checks,
            damage,
            seconds: 0.0,
        };
        shown.into_iter().for_each(|check| report.add(check));
        Ok((report, self.anchors, self.begun))
    }

    /// Reads what was taken back, and compares.
    async fn originals(&mut self, moment: &mut Moment) -> Result<(), OpenError> {
        let Walk { books, found, .. } = self;
        let originals = books.reversals.originals();
        for some in originals.chunks(PAGE as usize) {
            let list = some.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
            let question =
                format!("SELECT sequence, record FROM events WHERE sequence IN ({list}) ORDER BY sequence");
            let rows = moment.rows(question).await?;
            super::reversals::Reversals::missing(some.len() - rows.len(), found);
            for row in rows {
                let (sequence, record) = (row.try_get(0).map_err(strange)?, row.try_get(1).map_err(strange)?);
                if let Ok(event) = moment::event(record, sequence) {
                    books.reversals.compare(&event, found);
                }
            }
        }
        Ok(())
    }
}
