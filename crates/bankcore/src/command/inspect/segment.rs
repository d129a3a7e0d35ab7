//! `bankcore inspect segment`.

use std::io::ErrorKind;

use anyhow::{Context as _, bail};
use bank::verify::places::{Frame, Frames};
use clap::Args;

use super::{LookArgs, event};
use crate::output;

/// List the frames of a journal segment, or with --hex all its records
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore inspect segment 1\n  bankcore inspect segment 1 --hex")]
pub struct SegmentArgs {
    /// The segment's number, from 1
    number: u64,
    #[command(flatten)]
    look: LookArgs,
}

pub(super) fn run(args: &SegmentArgs) -> anyhow::Result<()> {
    let dir = args.look.dir()?;
    let frames = match Frames::of(&dir, args.number) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no segment {}; bankcore inspect head shows the last", args.number)
        }
        other => other.context("the segment cannot be read; check the disk")?,
    };
    if args.look.hex {
        return records(&frames, &list(Frames::of(&dir, args.number)?)?);
    }
    let mut table = output::empty(["Offset", "First", "Records", "Bytes", "Confirmed"].into_iter());
    for frame in list(frames)? {
        let first = if frame.records == 0 { String::new() } else { frame.first.to_string() };
        table.add_row([
            frame.offset.to_string(),
            first,
            frame.records.to_string(),
            frame.content.to_string(),
            frame.confirmed.to_string(),
        ]);
    }
    output::print(&table.to_string())
}

fn list(frames: Frames) -> anyhow::Result<Vec<Frame>> {
    frames.collect::<Result<_, _>>().context("the segment cannot be read; check the disk")
}

fn records(frames: &Frames, list: &[Frame]) -> anyhow::Result<()> {
    for frame in list {
        output::print(&format!("frame at offset {}, {} records\n", frame.offset, frame.records))?;
        for record in frames.records(frame).context("the segment cannot be read; check the disk")? {
            output::print(&event::text(&record, true))?;
        }
    }
    Ok(())
}
