//! API keys and audit trail of a folder that the last version kept beside books in a database.
//!
//! They are taken over once, whole, by the first service that starts, and the file is set aside under another name.
//! A file that comes later, of another service of the last version, has keys and records that nothing can merge into
//! a trail that has gone on: the start is refused, and the operator told.

use std::path::{Path, PathBuf};

use super::Error;
use crate::database::Database;

/// Takes over what the file at `path` holds, if there is one.
pub(super) async fn take_in(path: &Path, bank: [u8; 16], into: &Database) -> Result<(), Error> {
    if !path.exists() {
        return Ok(());
    }
    let file = Database::open(path, bank).await?;
    into.take_over(&file).await?;
    file.close().await;
    let aside = aside(path);
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::rename(path, &aside)
        .and_then(|()| std::fs::File::open(folder)?.sync_all())
        .map_err(|error| Error::Folder(path.to_path_buf(), error))?;
    tracing::warn!(
        from = %path.display(), to = %into.place(), kept = %aside.display(),
        "API keys and audit trail are now beside the books; the file is not used any more"
    );
    Ok(())
}

/// The name under which the file is kept.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-moved");
    name.into()
}
