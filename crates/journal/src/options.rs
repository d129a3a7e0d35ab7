//! The journal's sizes, each a limit with its reason.

use crate::error::OpenError;
use crate::layout::{BLOCK, FIRST_FRAME};

/// How many frames of the largest size must always find room, or new work is refused: one being written, one decided
/// and waiting, one being decided.
pub(crate) const FRAMES_AHEAD: u64 = 3;

/// The journal's sizes and ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of a segment, whole blocks. Large enough that making one is rare, small enough that filling one is quick
    /// (64 MiB take some 50 ms). Old segments keep their own length.
    pub segment_bytes: u64,
    /// How many filled segments wait ahead of the writer.
    pub spare_segments: usize,
    /// Free bytes that are never taken for segments, so that the other files of the bank can still be written.
    pub reserve_bytes: u64,
    /// The largest frame, header and padding included, whole blocks.
    pub frame_bytes_max: u64,
    /// Whether a thread makes segments and sidecars ahead. Without it they are made inline, when needed and by
    /// [`Appender::maintain`](crate::Appender::maintain): every step is then deterministic.
    pub background: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            spare_segments: 3,
            reserve_bytes: 64 << 20,
            frame_bytes_max: 8 << 20,
            background: true,
        }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let block = BLOCK as u64;
        if !self.segment_bytes.is_multiple_of(block) || !self.frame_bytes_max.is_multiple_of(block) {
            return Err(OpenError::Options("segment_bytes and frame_bytes_max must be multiples of 4096"));
        }
        if self.frame_bytes_max < 5 * block {
            return Err(OpenError::Options("frame_bytes_max must hold the longest record (20480 bytes)"));
        }
        if self.segment_bytes < self.frame_bytes_max + FIRST_FRAME || self.segment_bytes > 1 << 32 {
            return Err(OpenError::Options("segment_bytes must hold a frame and be at most 4 GiB"));
        }
        if self.frames_in(self.segment_bytes - FIRST_FRAME) * (self.spare_segments as u64) < FRAMES_AHEAD {
            return Err(OpenError::Options("spare_segments must hold three frames of frame_bytes_max"));
        }
        Ok(())
    }

    /// How many frames of the largest size, each with its confirming one, fit into `bytes`.
    pub(crate) fn frames_in(&self, bytes: u64) -> u64 {
        // A segment that holds exactly one frame still counts as one: its confirmation goes into the next.
        if bytes >= self.frame_bytes_max && bytes < self.frame_bytes_max + BLOCK as u64 {
            return 1;
        }
        bytes / (self.frame_bytes_max + BLOCK as u64)
    }
}
