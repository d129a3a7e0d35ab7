//! Atomic groups: all or none.

use super::{World, check};
use crate::command::{Command, Request};
use crate::event::Body;
use crate::ids::{NameId, Sequence};
use crate::limits::GROUP_MAX;
use crate::refusal::Code;
use crate::rules::{Context, decide_group};

#[test]
fn a_member_sees_those_before_it() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        open bob liability BDT
        open carol liability BDT
        group key G
        deposit drawer alice 100.00 BDT   => deposit: drawer 100.00, alice 100.00
        transfer alice bob 100.00 BDT     => transfer: alice 0.00, bob 100.00
        transfer bob carol 60.00 BDT      => transfer: bob 40.00, carol 60.00
        hold bob 40.00 BDT to alice       => hold: bob held 40.00, alice promised 40.00
        end                               => group of 4
        see bob                           => 40.00, available 0.00, reserved 40.00
        ",
    );
}

#[test]
fn one_refused_member_refuses_the_group() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        group key G
        transfer alice bob 60.00 BDT key K
        transfer alice bob 60.00 BDT
        end                               => refused insufficient_funds on alice, available 40.00, needed 60.00, member 1
        see alice                         => 100.00
        see bob                           => 0.00
        # The members' own keys stay unused.
        transfer alice bob 60.00 BDT key K => transfer: alice 40.00, bob 60.00
        ",
    );
}

#[test]
fn ends_of_holds_are_seen_within_the_group() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        hold alice 100.00 BDT to bob as H
        group
        void H
        capture H
        end                               => refused hold_ended, hold_id H, member 1
        group
        void H
        transfer alice bob 100.00 BDT     => transfer: alice 0.00, bob 100.00
        end                               => group of 2
        void H                            => refused hold_ended, hold_id H
        ",
    );
}

#[test]
fn reversals_add_up_within_the_group() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        transfer alice bob 30.00 BDT as T
        group
        reverse T 20.00
        reverse T 10.01
        end                               => \
             refused reversal_exceeds_original on alice, remaining 10.00, amount 10.01, member 1
        group
        reverse T 20.00                   => reversal: alice 90.00, bob 10.00
        reverse T 10.00                   => reversal: alice 100.00, bob 0.00
        end                               => group of 2
        reverse T                         => refused already_reversed, transaction_id T
        ",
    );
}

#[test]
fn a_key_is_used_once() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        transfer alice bob 1.00 BDT key OLD
        # By an earlier request.
        group key G
        transfer alice bob 1.00 BDT key NEW
        transfer alice bob 1.00 BDT key OLD
        end                               => refused member_key_used, member 1
        # By the member before.
        group key G
        transfer alice bob 1.00 BDT key NEW
        transfer alice bob 1.00 BDT key NEW
        end                               => refused member_key_used, member 1
        # By the group itself.
        group key G
        transfer alice bob 1.00 BDT key G
        end                               => refused member_key_used, member 0
        see bob                           => 1.00
        # Without keys nothing is twice.
        group
        transfer alice bob 1.00 BDT
        transfer alice bob 1.00 BDT
        end                               => group of 2
        group key G
        transfer alice bob 1.00 BDT key NEW
        end                               => group of 1
        ",
    );
}

#[test]
fn a_group_moves_money_and_does_nothing_else() {
    check(
        "
        open alice liability BDT overdraft 9.00
        open bob liability BDT
        hold alice 1.00 BDT for 1us as H
        wait 1us
        group
        open carol liability BDT
        end                               => refused not_in_atomic_batch, member 0
        group
        transfer alice bob 1.00 BDT
        change alice status frozen
        end                               => refused not_in_atomic_batch, member 1
        group
        open-day 2026-01-06
        end                               => refused not_in_atomic_batch, member 0
        group
        close-day 2026-01-05
        end                               => refused not_in_atomic_batch, member 0
        group
        intern actor carol
        end                               => refused not_in_atomic_batch, member 0
        group
        expire H
        end                               => refused not_in_atomic_batch, member 0
        see bob                           => 0.00
        ",
    );
}

#[test]
fn every_rule_holds_for_a_member() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        open drawer asset BDT
        fund alice 100.00
        change bob status frozen
        group
        transfer alice bob 1.00 BDT
        end                               => refused account_frozen on bob, member 0
        group
        withdraw alice drawer 1.00 BDT
        end                               => refused insufficient_funds on drawer, available 0.00, needed 1.00, member 0
        group
        post debit drawer 1.00 BDT, credit alice 2.00 BDT
        end                               => refused unbalanced, debits 1.00, credits 2.00, member 0
        group
        deposit drawer alice 1.00 BDT description x*513
        end                               => refused text_too_long, bytes 513, maximum 512, member 0
        ",
    );
}

#[test]
fn a_group_has_1_to_8192_members() {
    check(
        "
        group
        end                               => refused too_many_commands, commands 0, maximum 8192
        ",
    );
    let mut world = World::new();
    world.run(
        "
        open-day 2026-01-05
        open alice liability BDT overdraft 100.00
        open bob liability BDT
        ",
    );
    let movement = crate::command::Movement {
        from: world.id("alice"),
        to: world.id("bob"),
        amount: 1,
        currency: world.account("bob").currency(),
    };
    let member = Request::new(Command::Transfer(movement), NameId(1));
    let context = Context { sequence: world.state.head().next(), time: world.state.time() };
    let decided = |count: usize| {
        decide_group(&world.state.view(|_| None), &member, &vec![member.clone(); count], context)
    };
    let refused = decided(GROUP_MAX + 1).expect_err("one too many");
    assert_eq!((refused.code, refused.figures), (Code::TooManyMembers, [8_193, 8_192]));
    let events = decided(GROUP_MAX).expect("as many as may be");
    assert_eq!(events[0].body, Body::Group { members: GROUP_MAX as u16 });
    assert_eq!(
        events.last().map(|event| event.sequence),
        Some(Sequence(context.sequence.0 + GROUP_MAX as u64))
    );
    let mut state = world.state.clone();
    events.iter().for_each(|event| state.apply(event));
    assert_eq!(state.account(world.id("bob")).map(|bob| bob.ledger_balance()), Some(GROUP_MAX as i128));
}
