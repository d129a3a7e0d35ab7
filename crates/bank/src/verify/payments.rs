//! Payments: what the books have begun, the bank database knows: a payment or a promise, or a case where there is no rail
//! to ask.

use ledger::Event;
use sqlx::Connection as _;
use uuid::Uuid;

use super::database::open;
use super::report::Check;
use crate::database::FILE_NAME;
use crate::payments::begins;

/// Ids of one question.
const TOGETHER: usize = 500;

/// What the books have begun.
#[derive(Default)]
pub(super) struct Begun(Vec<(u64, Uuid)>);

impl Begun {
    /// Takes an event in.
    pub(super) fn passed(&mut self, event: &Event) {
        self.0.extend(begins(event).map(|id| (event.sequence.0, id)));
    }

    /// The questions for what is known of them.
    pub(super) fn questions(&self) -> impl Iterator<Item = String> + '_ {
        self.0.chunks(TOGETHER).map(|some| {
            let ids: Vec<String> = some.iter().map(|(_, id)| format!("x'{}'", id.simple())).collect();
            let ids = ids.join(", ");
            let of = |table| format!("SELECT lower(hex(id)) FROM {table} WHERE id IN ({ids})");
            ["payments", "promises", "cases"].map(of).join(" UNION ALL ")
        })
    }

    /// Compares with what is known.
    pub(super) fn settle(&self, known: &std::collections::HashSet<String>) -> Check {
        let mut lost = self.0.iter().filter(|(_, id)| !known.contains(&id.simple().to_string()));
        let first = lost.next().map(|(sequence, _)| *sequence);
        let detail = first.map_or_else(String::new, |sequence| {
            format!(
                "{} payments of the books have no row, the first was begun by event {sequence}. If an older copy of the \
                 bank database was put back, the next start makes them again; else restore one from a backup",
                1 + lost.count()
            )
        });
        Check { name: "payments", ok: first.is_none(), checked: self.0.len() as u64, detail }
    }

    /// Compares with the bank database of a folder.
    pub(super) async fn check(&self, dir: &std::path::Path) -> Check {
        let known = async {
            let mut known = std::collections::HashSet::new();
            if self.0.is_empty() {
                return Ok(known);
            }
            let mut db = open(&dir.join(FILE_NAME)).await?;
            for question in self.questions() {
                let ids: Vec<String> =
                    sqlx::query_scalar(sqlx::AssertSqlSafe(question)).fetch_all(&mut db).await?;
                known.extend(ids);
            }
            db.close().await?;
            Ok::<_, sqlx::Error>(known)
        };
        match known.await {
            Ok(known) => self.settle(&known),
            Err(error) => {
                let detail = format!("{FILE_NAME} cannot be asked about payments: {error}");
                Check { name: "payments", ok: false, checked: 0, detail }
            }
        }
    }
}
