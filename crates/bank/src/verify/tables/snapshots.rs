//! Snapshots beside the events: the same bytes as this fold at their sequence, under the chain there.

use journal::Head;
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

use super::super::books::Books;
use super::super::findings::{Findings, Subject};
use super::super::snapshots;
use super::strange;
use crate::store::mysql::OpenError;
use crate::store::mysql::moment::Moment;

/// The snapshots that wait for the walk to come by, the newest first.
#[derive(Default)]
pub(super) struct Waiting(Vec<Row>);

struct Row {
    sequence: u64,
    hash: Vec<u8>,
    parts: u32,
    digest: Vec<u8>,
}

impl Waiting {
    /// All that there are.
    pub(super) async fn open(moment: &mut Moment) -> Result<Waiting, OpenError> {
        let rows = moment
            .rows("SELECT sequence, hash, parts, digest FROM snapshots ORDER BY sequence DESC".to_owned())
            .await?;
        let read = |row: &MySqlRow| -> Result<Row, sqlx::Error> {
            let (sequence, hash) = (row.try_get(0)?, row.try_get(1)?);
            Ok(Row { sequence, hash, parts: row.try_get(2)?, digest: row.try_get(3)? })
        };
        Ok(Waiting(rows.iter().map(read).collect::<Result<_, _>>().map_err(strange)?))
    }

    /// The walk has folded the event at this head.
    pub(super) async fn passed(
        &mut self,
        moment: &mut Moment,
        head: Head,
        books: &Books,
        found: &mut Findings,
    ) -> Result<(), OpenError> {
        let Some(row) = self.0.pop_if(|row| row.sequence == head.sequence) else { return Ok(()) };
        found.checked(Subject::Snapshots);
        let sequence = row.sequence;
        let question = format!("SELECT bytes FROM snapshot_parts WHERE sequence = {sequence} ORDER BY part");
        let rows = moment.rows(question).await?;
        let parts: Result<Vec<Vec<u8>>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        let parts = parts.map_err(strange)?;
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        let whole = parts.len() == row.parts as usize && hash.finalize()[..] == row.digest[..];
        if !whole {
            let text = format!(
                "the snapshot at {sequence} does not verify; delete its row, a start folds the events instead"
            );
            found.wrong(Subject::Snapshots, sequence, text);
        } else if row.hash != head.hash {
            found.wrong(Subject::Snapshots, sequence, "the snapshot was made of another history".to_owned());
        } else {
            snapshots::tell(&mut &parts.concat()[..], sequence, books, found);
        }
        Ok(())
    }

    /// The walk is over, without damage.
    pub(super) fn settle(&self, found: &mut Findings) {
        for Row { sequence, .. } in &self.0 {
            let text = format!("a snapshot stands at sequence {sequence}, the events end before");
            found.wrong(Subject::Snapshots, *sequence, text);
        }
    }
}
