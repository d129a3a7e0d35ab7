//! Texts and names: their limits, to the byte.

use std::sync::Arc;

use super::{World, check};
use crate::command::{Command, Note, Request};
use crate::date::Date;
use crate::event::NameKind;
use crate::ids::{NameId, Sequence};
use crate::refusal::Code;
use crate::rules::{Context, decide, open_bank};

#[test]
fn texts_have_limits() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        deposit drawer alice 1.00 BDT reference r*128   => deposit: drawer 1.00, alice 1.00
        deposit drawer alice 1.00 BDT reference r*129   => refused text_too_long, bytes 129, maximum 128
        deposit drawer alice 1.00 BDT description d*512 => deposit: drawer 2.00, alice 2.00
        deposit drawer alice 1.00 BDT description d*513 => refused text_too_long, bytes 513, maximum 512
        # Bytes count, not letters: a Bengali letter has three.
        deposit drawer alice 1.00 BDT reference ৳*42    => deposit: drawer 3.00, alice 3.00
        deposit drawer alice 1.00 BDT reference ৳*43    => refused text_too_long, bytes 129, maximum 128
        open bob liability BDT named n*129              => refused text_too_long, bytes 129, maximum 128
        open bob liability BDT named n*128              => opened BC0000000003: bob
        open carol liability BDT number 7*35            => refused text_too_long, bytes 35, maximum 34
        open carol liability BDT number 7*34            => opened 7777777777777777777777777777777777: carol
        intern actor a*129                              => refused text_too_long, bytes 129, maximum 128
        intern actor a*128                              => named 1
        ",
    );
}

/// The largest record there can be: every entry, every text, every index of a reversal.
#[test]
fn the_largest_transaction_fits_into_its_record() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        post debit drawer 1.00 BDT *64, credit alice 1.00 BDT *64 reference r*128 description d*512 as T
        reverse T reference r*128 description d*512
        see alice                         => 0.00
        ",
    );
}

#[test]
fn names_are_numbered_from_one_on_and_kinds_keep_apart() {
    let mut world = World::new();
    world.run(
        "
        intern principal acme             => named 1
        intern actor acme                 => named 2
        intern origin 127.0.0.1           => named 3
        intern actor acme                 => refused name_known, number 2
        ",
    );
    assert_eq!(world.state.number_of(NameKind::Principal, "acme"), Some(NameId(1)));
    assert_eq!(world.state.number_of(NameKind::Actor, "acme"), Some(NameId(2)));
    assert_eq!(world.state.number_of(NameKind::Origin, "acme"), None);
    assert_eq!(world.state.name_of(NameId(3)), Some((NameKind::Origin, "127.0.0.1")));
    assert_eq!(world.state.name_of(NameId(0)), None, "0 is nobody");
    assert_eq!(world.state.name_of(NameId(4)), None);
}

#[test]
fn a_bank_has_a_name_within_the_limit_of_names() {
    let context = Context { sequence: Sequence(1), time: 0 };
    let open = |name: &str| open_bank([7; 16], 1, name, context);
    assert!(open(&"n".repeat(128)).is_ok());
    let refusal = open(&"n".repeat(129)).unwrap_err();
    assert_eq!((refusal.code, refusal.figures), (Code::TextTooLong, [129, 128]));
}

/// `Some(Note::default())` came back from its record as `None`: the replayed event was another one.
#[test]
fn a_note_that_says_nothing_is_no_note() {
    let world = World::new();
    let mut request = Request::new(Command::OpenDay { date: Date(20_458) }, NameId(1));
    request.note = Some(Arc::new(Note::default()));
    let context = Context { sequence: world.state.head().next(), time: world.state.time() };
    let event = decide(&world.state.view(|_| None), &request, context).expect("accepted");
    assert_eq!(event.note, None);
}
