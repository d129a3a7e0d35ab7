//! The bank database beside the books: API keys, and the audit trail with what business days say about it.

use std::path::Path;

use sqlx::{FromRow as _, Row as _};

use super::super::audit::{Anchored, Chained, Told, Trail};
use super::super::report::Check;
use super::strange;
use crate::database::FILE_NAME;
use crate::store::mysql::OpenError;
use crate::store::mysql::moment::Moment;

/// Keys that nobody recorded the making of, the newest number given, whether a trail is still coming in, and keys.
const ENDS: &str = "SELECT CAST(COALESCE(SUM(NOT EXISTS ( \
        SELECT 1 FROM audit_records \
         WHERE object = 'api_key' AND action = 'create' AND object_id = LOWER(HEX(k.id)))), 0) AS SIGNED), \
     (SELECT newest FROM audit_head WHERE one = 1), \
     (SELECT CAST(filling AS SIGNED) FROM audit_head WHERE one = 1), \
     COUNT(*), \
     (SELECT COALESCE(MAX(id), 0) FROM audit_chain) \
     FROM api_keys k";

/// Checks them as of the moment.
pub(super) async fn check(
    moment: &mut Moment,
    anchors: &[Anchored],
    data: &Path,
) -> Result<Check, OpenError> {
    let mut told = Told::default();
    let mut trail = Trail::new(moment.identity.bank, anchors, true);
    loop {
        let rows = moment.rows(trail.question()).await?;
        let rows: Result<Vec<_>, _> = rows.iter().map(Chained::from_row).collect();
        if !trail.page(&rows.map_err(strange)?) {
            break;
        }
    }
    let ends = moment.rows(ENDS.to_owned()).await?;
    let end = |column| -> Result<i64, OpenError> {
        let row = ends.first().ok_or_else(|| OpenError::Damaged("audit_head is empty".into()))?;
        row.try_get::<Option<i64>, _>(column).map(Option::unwrap_or_default).map_err(strange)
    };
    let (unrecorded, given, filling, keys, chained) = (end(0)?, end(1)?, end(2)?, end(3)?, end(4)?);
    let checked = trail.checked() + keys.cast_unsigned();
    trail.settle((given, chained), &mut told);
    if unrecorded > 0 {
        told.wrong.push(format!("{unrecorded} API keys have no audit record"));
    }
    if filling != 0 {
        told.wrong.push("audit_head.filling is set: somebody changed the database by hand".to_owned());
    }
    if data.join(FILE_NAME).exists() {
        told.notes.push(format!(
            "{FILE_NAME} in {} is not looked at: the next start takes it over, or refuses it",
            data.display()
        ));
    }
    let ok = told.wrong.is_empty();
    Ok(Check { name: "database", ok, checked, detail: [told.wrong, told.notes].concat().join("; ") })
}
