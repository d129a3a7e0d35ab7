//! The demonstration bank: the one of the case studies, with keys for every role.
//!
//! ```text
//!  capital ──10,000,000.00──► vault ──500,000.00 each──► drawers of two tellers ──► deposits of Carol and Bob
//! ```
//! Each step is a command under a key that no request can name, so a start after a crash half-way does the
//! missing steps and no other. API keys exist as soon as `demo.json` does: keys of a start that did not get
//! so far were shown to nobody; they are revoked and made anew.

mod accounts;
mod file;
mod keys;
mod rail;

use std::path::Path;

use bank::service::Service;

pub use file::{DemoFile, DemoRail};

/// The currency of the case studies.
pub const CURRENCY: &str = "BDT";

/// Makes what is missing of the demonstration, and writes `demo.json` with the address of this start.
///
/// # Errors
/// If the books or the database cannot do it; the next start goes on from there.
pub async fn prepare(service: &Service, dir: &Path, url: &str) -> anyhow::Result<DemoFile> {
    let accounts = accounts::make(service).await?;
    let bank = service.identity.bank.iter().map(|byte| format!("{byte:02x}")).collect();
    let known = DemoFile::read(dir)?.filter(|known| known.bank == bank);
    let told = known.as_ref().and_then(|known| known.rail.clone());
    let keys = match known.filter(|known| known.accounts == accounts) {
        Some(known) => known.keys,
        None => keys::make(service, &accounts).await?,
    };
    let rail = Some(rail::make(service, &accounts, told, url).await?);
    let socket = std::path::absolute(crate::folder::socket(dir))?.display().to_string();
    let file =
        DemoFile { url: url.to_owned(), socket, bank, currency: CURRENCY.to_owned(), keys, accounts, rail };
    file.write(dir)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
