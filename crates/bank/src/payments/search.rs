//! Every world that a model can come to, breadth first; then backwards from the ends.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// How many worlds there are from `start` on. `after` adds those that may follow one; `check` looks at a world and
/// `check_step` at two that follow each other.
///
/// # Errors
/// What does not hold in the first world where something does not; or what `stuck` says of a world from which no way leads
/// to an end.
pub(super) fn explore<W: Copy + Eq + Hash>(
    start: W,
    after: impl Fn(&W, &mut Vec<W>),
    check: impl Fn(&W) -> Result<(), String>,
    check_step: impl Fn(&W, &W) -> Result<(), String>,
    is_end: impl Fn(&W) -> bool,
    stuck: impl Fn(&W) -> String,
) -> Result<usize, String> {
    let mut index: HashMap<W, u32> = HashMap::from([(start, 0)]);
    let mut worlds = vec![start];
    let mut before: Vec<Vec<u32>> = vec![Vec::new()];
    let mut queue = VecDeque::from([0u32]);
    let mut following = Vec::new();
    while let Some(here) = queue.pop_front() {
        let world = worlds[here as usize];
        check(&world)?;
        following.clear();
        after(&world, &mut following);
        for to in following.drain(..) {
            check_step(&world, &to)?;
            let known = *index.entry(to).or_insert_with(|| {
                worlds.push(to);
                before.push(Vec::new());
                let new = worlds.len() as u32 - 1;
                queue.push_back(new);
                new
            });
            if known != here {
                before[known as usize].push(here);
            }
        }
    }
    // Backwards from the ends: whoever is not met can never come to one.
    let mut met: Vec<bool> = worlds.iter().map(is_end).collect();
    let mut queue: VecDeque<u32> = (0..worlds.len() as u32).filter(|world| met[*world as usize]).collect();
    while let Some(here) = queue.pop_front() {
        for from in &before[here as usize] {
            if !std::mem::replace(&mut met[*from as usize], true) {
                queue.push_back(*from);
            }
        }
    }
    match met.iter().position(|met| !met) {
        Some(world) => Err(stuck(&worlds[world])),
        None => Ok(worlds.len()),
    }
}
