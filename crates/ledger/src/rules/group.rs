//! Atomic groups: all or none.
//!
//! A group becomes a header event, which carries the group's key, and one event a member, all in one frame.
//! If any member is refused, only the group's refusal is recorded; the members' own keys stay unused.

use super::overlay::Overlay;
use super::{Context, decide, event};
use crate::command::{Command, Request};
use crate::event::{Body, Event};
use crate::limits::GROUP_MAX;
use crate::refusal::{Code, Refusal};
use crate::view::View;

/// Decides a group. `header` carries the group's key and fingerprint; its command is not looked at.
///
/// # Errors
/// The first refusal, with the position of its member; nothing has changed.
pub fn decide_group<V: View>(
    view: &V,
    header: &Request,
    members: &[Request],
    context: Context,
) -> Result<Vec<Event>, Refusal> {
    if members.is_empty() || members.len() > GROUP_MAX {
        let refusal = Refusal::new(Code::TooManyMembers).figures(members.len() as i128, GROUP_MAX as i128);
        return Err(refusal);
    }
    let mut overlay = Overlay::new(view);
    let mut events = Vec::with_capacity(members.len() + 1);
    events.push(event(view, header, context, Body::Group { members: members.len() as u16 }));
    let mut context = context;
    for (index, member) in members.iter().enumerate() {
        context.sequence = context.sequence.next();
        let refused = |mut refusal: Refusal| {
            refusal.member = Some(index as u16);
            refusal
        };
        if !may_join(&member.command) {
            return Err(refused(Refusal::new(Code::NotInGroup)));
        }
        if !member.key.is_none() && (member.key == header.key || overlay.claimed(&member.key).is_some()) {
            return Err(refused(Refusal::new(Code::KeyTakenInBatch)));
        }
        let mut event = decide(&overlay, member, context).map_err(refused)?;
        event.in_group = true;
        overlay.fold(&event);
        events.push(event);
    }
    Ok(events)
}

/// Members move or reserve money. Accounts, days and names have an order of their own.
fn may_join(command: &Command) -> bool {
    matches!(
        command,
        Command::Deposit(_)
            | Command::Withdraw(_)
            | Command::Transfer(_)
            | Command::Post { .. }
            | Command::Hold { .. }
            | Command::Capture { .. }
            | Command::Void { .. }
            | Command::Reverse { .. }
    )
}
