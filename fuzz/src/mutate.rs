//! Small changes of valid bytes, as an input says.

use arbitrary::{Result, Unstructured};

/// Numbers at which lengths, counts and offsets go wrong.
const NUMBERS: [u64; 10] =
    [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, u32::MAX as u64, i64::MAX as u64, u64::MAX - 1, u64::MAX];

/// Changes bytes at least once, and as often as the input lasts, up to eight times.
///
/// # Errors
/// Never in practice: an input that is used up goes on with zeros.
pub fn mutate(input: &mut Unstructured<'_>, bytes: &mut Vec<u8>) -> Result<()> {
    for _ in 0..8 {
        once(input, bytes)?;
        if input.is_empty() || input.ratio(1, 3)? {
            break;
        }
    }
    Ok(())
}

fn once(input: &mut Unstructured<'_>, bytes: &mut Vec<u8>) -> Result<()> {
    if bytes.is_empty() {
        bytes.push(input.arbitrary()?);
        return Ok(());
    }
    let at = input.choose_index(bytes.len())?;
    let length = (input.int_in_range(1..=64)?).min(bytes.len() - at);
    match input.int_in_range(0..=9)? {
        0..=2 => bytes[at] ^= 1 << input.int_in_range(0..=7)?,
        3 => bytes[at] = input.arbitrary()?,
        4 => {
            let number = NUMBERS[input.choose_index(NUMBERS.len())?].to_be_bytes();
            let width = [2, 4, 8][input.choose_index(3)?].min(bytes.len() - at);
            bytes[at..at + width].copy_from_slice(&number[8 - width..]);
        }
        5 => bytes[at..at + length].fill(0),
        6 => {
            let from = input.choose_index(bytes.len() - length + 1)?;
            bytes.copy_within(from..from + length, at);
        }
        7 => {
            let new: Vec<u8> = (0..length).map(|_| input.arbitrary()).collect::<Result<_>>()?;
            bytes.splice(at..at, new);
        }
        8 => _ = bytes.drain(at..at + length),
        _ => bytes.truncate(at),
    }
    Ok(())
}

/// Changes files in pieces as a disk does: whole blocks are lost, stale, doubled or cut off.
///
/// # Errors
/// As [`mutate`].
pub fn mutate_blocks(input: &mut Unstructured<'_>, bytes: &mut Vec<u8>, block: usize) -> Result<()> {
    let blocks = bytes.len() / block;
    if blocks == 0 {
        return mutate(input, bytes);
    }
    let (from, to) = (input.choose_index(blocks)? * block, input.choose_index(blocks)? * block);
    match input.int_in_range(0..=3)? {
        0 => bytes[to..to + block].fill(0),
        1 => bytes.copy_within(from..from + block, to),
        2 => bytes.truncate(to),
        _ => bytes[to..].fill(0),
    }
    Ok(())
}
