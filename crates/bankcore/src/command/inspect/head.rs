//! `bankcore inspect head`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use bank::verify::places::{self, Frame, Frames};
use clap::Args;
use ledger::{Body, codec};
use serde_json::json;

use super::{event, folder};
use crate::cli::AskArgs;
use crate::output;

/// Show whose books these are and where they end
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore inspect head\n  bankcore inspect head --json\n\n\
    Keep sequence and hash elsewhere: they prove later that no suffix of the journal went missing. What is shown is \
    what the files say; bankcore verify proves it.")]
pub struct HeadArgs {
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &HeadArgs) -> anyhow::Result<()> {
    let dir = folder(&args.ask.data)?;
    let text = fs::read_to_string(dir.join("IDENTITY"))
        .context("IDENTITY cannot be read; restore it from a backup")?;
    let identity = places::identity(&text).context("IDENTITY is damaged; restore it from a backup")?;
    let (mut number, mut last): (u64, Option<Frame>) = (0, None);
    let mut bytes = 0;
    loop {
        let frames = match Frames::of(&dir, number + 1) {
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            other => other.context("a segment cannot be read; check the disk")?,
        };
        number += 1;
        bytes += fs::metadata(places::segment_path(&dir, number))?.len();
        for frame in frames {
            last = Some(frame.context("a segment cannot be read; check the disk")?);
        }
    }
    let name = name(&dir)?;
    let sequence = last.map_or(0, |frame| frame.first + u64::from(frame.records) - 1);
    let hash = last.map_or(String::new(), |frame| event::hex(&frame.after));
    let confirmed = last.map_or(0, |frame| frame.confirmed);
    if args.ask.json {
        return output::json(&json!({
            "bank": event::hex(&identity.bank), "name": name, "timeline": identity.timeline, "sequence": sequence, "hash": hash,
            "confirmed": confirmed, "segments": number, "bytes": bytes,
        }));
    }
    output::print(&output::pairs(&[
        ("Bank", event::hex(&identity.bank)),
        ("Name", name),
        ("Timeline", identity.timeline.to_string()),
        ("Sequence", sequence.to_string()),
        ("Hash", hash),
        ("Confirmed", format!("up to {confirmed}")),
        ("Segment", last.map_or(String::new(), |frame| frame.segment.to_string())),
        ("Segments", format!("{number}, {bytes} bytes, spares included")),
    ]))
}

/// What the bank was called when its books were opened; nothing if they do not say.
fn name(dir: &Path) -> anyhow::Result<String> {
    let first = places::find(dir, 1).context("a segment cannot be read; check the disk")?;
    let opened = first.and_then(|record| codec::decode(&record.bytes).ok());
    Ok(match opened.map(|event| event.body) {
        Some(Body::BankOpened { name, .. }) => name.into(),
        _ => String::new(),
    })
}
