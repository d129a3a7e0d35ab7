//! `bankcore webhook`: endpoints that events are sent to.

mod change;
mod create;
mod delete;
mod deliveries;
mod list;
mod rotate_secret;
mod show;
mod test;

use clap::Subcommand;

use crate::output::Column;

/// Register webhooks, and see how they do
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum Webhook {
    Create(create::CreateArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Change(change::ChangeArgs),
    Enable(change::EnableArgs),
    Disable(change::DisableArgs),
    Delete(delete::DeleteArgs),
    RotateSecret(rotate_secret::RotateArgs),
    Test(test::TestArgs),
    Deliveries(deliveries::DeliveriesArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub fn run(webhook: &Webhook) -> anyhow::Result<()> {
    match webhook {
        Webhook::Create(args) => create::run(args),
        Webhook::List(args) => list::run(args),
        Webhook::Show(args) => show::run(args),
        Webhook::Change(args) => change::run(args),
        Webhook::Enable(args) => change::enable(args),
        Webhook::Disable(args) => change::disable(args),
        Webhook::Delete(args) => delete::run(args),
        Webhook::RotateSecret(args) => rotate_secret::run(args),
        Webhook::Test(args) => test::run(args),
        Webhook::Deliveries(args) => deliveries::run(args),
    }
}

/// A template as it is said: the kind of event, and the text.
fn template(said: &str) -> Result<(String, String), String> {
    let parts = said.split_once('=').filter(|(kind, text)| !kind.is_empty() && !text.is_empty());
    let (kind, text) = parts.ok_or("say KIND=TEXT, for instance posted='{{ amount }} {{ currency }}'")?;
    Ok((kind.to_owned(), text.to_owned()))
}

/// A webhook, as it is shown alone.
const FIELDS: [Column; 18] = [
    ("Id", "id"),
    ("Name", "name"),
    ("URL", "url"),
    ("Principal", "principal"),
    ("Role", "role"),
    ("Accounts", "accounts"),
    ("Templates", "templates"),
    ("Status", "status"),
    ("Disabled at", "disabled_at"),
    ("Why", "disabled_why"),
    ("Down since", "down_since"),
    ("Begins after", "begins_after"),
    ("Delivered through", "delivered_through"),
    ("Events behind", "lag_events"),
    ("Seconds behind", "lag_seconds"),
    ("Parked", "parked"),
    ("Dead letters", "dead_letters"),
    ("Secret", "secret"),
];

/// Attempts, as they are listed.
const ATTEMPTS: [Column; 7] = [
    ("At", "at"),
    ("Event", "sequence"),
    ("Attempt", "attempt"),
    ("Outcome", "outcome"),
    ("Status", "status"),
    ("Milliseconds", "took_ms"),
    ("Answer", "answer"),
];
