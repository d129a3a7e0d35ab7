//! The audit trail: numbered without gaps, every hash computed again, and what business days say about it.
//!
//! What this proves and what it cannot is written in `database/chain.rs`.

use sqlx::{Connection, SqliteConnection};

use crate::database::chain::{self, Anchor, Hash, Row};

/// Records that are read at a time.
const PAGE: i64 = 1_000;

/// Who is named where the service was bypassed.
const OUTSIDE: &str = "outside";

/// What a business day's event says: its sequence and the anchor.
pub(super) type Anchored = (u64, Anchor);

/// A record and its hash.
#[derive(sqlx::FromRow)]
pub(super) struct Chained {
    #[sqlx(flatten)]
    row: Row,
    hash: Option<Vec<u8>>,
}

/// What is wrong and what else is worth saying.
#[derive(Default)]
pub(super) struct Told {
    pub(super) wrong: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// Checks the trail; answers how many records there are. The anchors come in the order of events.
pub(super) async fn check(
    db: &mut SqliteConnection,
    bank: [u8; 16],
    anchors: &[Anchored],
    told: &mut Told,
) -> Result<u64, sqlx::Error> {
    // One view of the file, also while a server writes.
    let mut tx = db.begin().await?;
    let chained: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'audit_chain'")
        .fetch_one(&mut *tx)
        .await?;
    if chained == 0 {
        told.notes.push("the audit trail is not chained yet; opening the bank chains it".to_owned());
        return sqlx::query_scalar::<_, i64>("SELECT count(*) FROM audit_records")
            .fetch_one(&mut *tx)
            .await
            .map(i64::cast_unsigned);
    }
    let mut trail = Trail::new(bank, anchors, false);
    loop {
        let rows: Vec<Chained> =
            sqlx::query_as(sqlx::AssertSqlSafe(trail.question())).fetch_all(&mut *tx).await?;
        if !trail.page(&rows) {
            break;
        }
    }
    // SQLite's own count of the numbers that it has given, and hashes whose records are gone.
    let ends: (i64, i64) = sqlx::query_as(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit_records'), 0),
                coalesce((SELECT max(id) FROM audit_chain), 0)",
    )
    .fetch_one(&mut *tx)
    .await?;
    let checked = trail.checked();
    trail.settle(ends, told);
    Ok(checked)
}

/// The walk along the trail.
pub(super) struct Trail<'a> {
    last: i64,
    hash: Hash,
    /// Whether a record without a hash came by.
    open: bool,
    /// The first bad record.
    bad: Option<(i64, String)>,
    anchors: &'a [Anchored],
    outside: u64,
    /// May anybody say who acts? Then a record that no service chained may name a person.
    signed_by_anybody: bool,
}

impl<'a> Trail<'a> {
    pub(super) fn new(bank: [u8; 16], anchors: &'a [Anchored], signed_by_anybody: bool) -> Trail<'a> {
        let hash = chain::start(&bank);
        Trail { last: 0, hash, open: false, bad: None, anchors, outside: 0, signed_by_anybody }
    }

    /// The question for the next page.
    pub(super) fn question(&self) -> String {
        format!(
            "SELECT audit_records.*, hash FROM audit_records LEFT JOIN audit_chain USING (id) \
             WHERE id > {} ORDER BY id LIMIT {PAGE}",
            self.last
        )
    }

    /// Looks at a page; is there another?
    pub(super) fn page(&mut self, rows: &[Chained]) -> bool {
        rows.iter().for_each(|row| self.pass(row));
        rows.len() as i64 == PAGE
    }

    /// The records that there are, once all were seen.
    pub(super) fn checked(&self) -> u64 {
        self.last.cast_unsigned()
    }

    fn pass(&mut self, Chained { row, hash }: &Chained) {
        if row.id != self.last + 1 {
            self.bad(self.last + 1, "is missing");
        }
        self.last = row.id;
        let Some(stored) = hash else {
            let known = row.actor != OUTSIDE && !self.signed_by_anybody;
            self.outside += u64::from(!known);
            if known {
                self.bad(row.id, "was put in by hand: nobody chained it");
            }
            self.open = true;
            return;
        };
        if self.open {
            self.bad(row.id, "follows one that is not chained");
        }
        if chain::next(&self.hash, row)[..] != stored[..] {
            self.bad(
                row.id,
                "is not what was chained: it, or the one before it, was changed, put in or taken out",
            );
        }
        // Goes on from what is stored, so that one bad record is told once.
        self.hash = stored[..].try_into().unwrap_or([0; 32]);
        while let Some(((event, anchor), rest)) = self.anchors.split_first() {
            if anchor.id > row.id {
                break;
            }
            if (anchor.id, anchor.hash) != (row.id, self.hash) {
                self.bad(anchor.id, format!("is not the one that event {event} names, a business day's"));
            }
            self.anchors = rest;
        }
    }

    fn bad(&mut self, id: i64, what: impl Into<String>) {
        if self.bad.as_ref().is_none_or(|(first, _)| id < *first) {
            self.bad = Some((id, what.into()));
        }
    }

    /// All records were seen; `given` numbers were given, the newest hash is that of record `chained`.
    pub(super) fn settle(mut self, (given, chained): (i64, i64), told: &mut Told) {
        if given.max(chained) > self.last {
            self.bad(self.last + 1, "is missing: the end of the trail was cut off");
        } else if given < self.last {
            self.bad(given + 1, "was not numbered by the database: somebody changed its count");
        }
        if let Some((event, anchor)) = self.anchors.first() {
            told.wrong.push(format!(
                "event {event}, a business day's, names audit record {}, which is not there: the end of the \
                 trail was cut off, or the bank database is older than the books",
                anchor.id
            ));
        }
        if let Some((id, what)) = self.bad {
            told.wrong.push(format!("audit record {id} {what}"));
        }
        if self.outside > 0 {
            told.notes.push(match self.outside {
                1 => "1 audit record of a change that bypassed the service is not chained yet".to_owned(),
                n => format!("{n} audit records of changes that bypassed the service are not chained yet"),
            });
        }
    }
}
