//! What a seed decides once: sizes, and how rough the days are.

use ::journal::Options;
use bank::sequencer::QueueLimits;
use bank::store::journal;
use rand::Rng;
use rand::rngs::SmallRng;

use crate::desk;

/// The sizes and odds of one seed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How the store is kept.
    pub store: journal::Settings,
    /// How the sequencer works.
    pub desk: desk::Settings,
    /// How many rounds are played.
    pub rounds: u32,
    /// Of a thousand rounds, how many plan a crash at a coming disk call.
    pub halts: u32,
    /// Of a thousand rounds, how many plan a failing disk call.
    pub faults: u32,
    /// Of a thousand rounds, how many fill the disk up.
    pub full: u32,
    /// Of a thousand rounds, how many end the process between two batches.
    pub kills: u32,
    /// Of a thousand rounds, how many set the wall clock.
    pub clock: u32,
}

impl Plan {
    pub(super) fn draw(rng: &mut SmallRng) -> Plan {
        let frame = 4096 * rng.random_range(10..=16);
        let store = journal::Settings {
            journal: Options {
                segment_bytes: frame * rng.random_range(1..=3) + 4096 * rng.random_range(1..=4),
                spare_segments: 3,
                reserve_bytes: 64 << 10,
                frame_bytes_max: frame,
                background: false,
            },
            snapshot_every: rng.random_range(20..200),
            generation_claims: rng.random_range(96..400),
            seed: [rng.random(), rng.random()],
            threads: false,
        };
        let rough =
            |rng: &mut SmallRng, most| if rng.random_bool(0.6) { rng.random_range(0..most) } else { 0 };
        Plan {
            store,
            desk: desk::Settings {
                refusals: if rng.random_bool(0.5) { (1, rng.random_range(3..30)) } else { (0, 1) },
                clock_jump_us: 300_000_000,
                batch_bytes: 512 * rng.random_range(12..=20),
                queue: QueueLimits {
                    submissions: rng.random_range(4..40),
                    commands: rng.random_range(20..200),
                },
            },
            rounds: rng.random_range(60..160),
            halts: rough(rng, 120),
            faults: rough(rng, 100),
            full: rough(rng, 60),
            kills: rough(rng, 60),
            clock: rough(rng, 80),
        }
    }
}
