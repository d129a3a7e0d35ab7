//! The homes that there are.

use std::path::Path;
use std::sync::Arc;

use ::journal::disk::SimDisk;
use ::journal::{Folder, Identity, Options};
use bank::store::journal::{self, Chore};
use bank::store::{memory, mysql};

use super::Home;
use crate::desk::{Desk, Settings};
use crate::server::{Database, MariaDb};
use crate::time::SimClock;

/// Books in memory, gone with the process.
pub struct Memory;

impl Home for Memory {
    const SURVIVES: bool = false;

    fn fresh() -> Self {
        Memory
    }

    fn open(&mut self, clock: SimClock, settings: &Settings) -> Desk {
        let (store, reads) = memory::open();
        Desk::new(store, Arc::new(reads), clock, settings, |_| ())
    }
}

/// Books in a journal, in small pieces, so that segments roll, keys are filed and merged, snapshots made.
pub struct Journal {
    disk: SimDisk,
}

impl Home for Journal {
    const SURVIVES: bool = true;

    fn fresh() -> Self {
        Journal { disk: SimDisk::new() }
    }

    fn open(&mut self, clock: SimClock, settings: &Settings) -> Desk {
        let dir = Path::new("bank");
        let kept = journal::Settings {
            journal: Options {
                segment_bytes: 1 << 20,
                spare_segments: 3,
                reserve_bytes: 0,
                frame_bytes_max: 512 << 10,
                background: false,
            },
            snapshot_every: 2_000,
            generation_claims: 4_096,
            seed: [1, 2],
            threads: false,
        };
        let disk = self.disk.clone();
        let opened = if Folder::is_journal(&disk, dir) {
            journal::open(disk, dir, &kept)
        } else {
            journal::create(disk, dir, Identity { bank: [7; 16], timeline: 1 }, &kept)
        };
        let opened = opened.expect("a healthy disk");
        let mut background = opened.background;
        Desk::new(opened.writing, opened.reading, clock, settings, move |writing| {
            for chore in [Chore::Keys, Chore::References, Chore::Snapshot] {
                while background.step(chore).expect("a healthy disk") {}
            }
            writing.tend();
        })
    }
}

/// Books in a MariaDB server, with the triggers at work.
pub struct MySql {
    database: Database,
}

impl Home for MySql {
    const SURVIVES: bool = true;

    fn fresh() -> Self {
        MySql { database: MariaDb::shared().migrated() }
    }

    fn open(&mut self, clock: SimClock, settings: &Settings) -> Desk {
        let fresh = mysql::Fresh {
            identity: Identity { bank: [7; 16], timeline: 1 },
            name: "Simulated Bank".into(),
            time: clock.now(),
        };
        let opened = mysql::open(&self.database.settings(), &fresh).expect("a healthy server");
        Desk::new(opened.writing, opened.reading, clock, settings, |_| ())
    }
}
