//! Atomic groups: all or none.

use bank::books::{Decided, GroupDecided};
use ledger::{Body, Code, Command, Request};

use super::Home;
use super::counter::{Counter, happened, refused};

fn plain<H: Home>(counter: &Counter<H>, command: Command) -> Request {
    Request::new(command, counter.teller)
}

/// A header, then the members as they were sent, in one row of sequences.
pub fn a_group_happens_whole_and_in_order<H: Home>() {
    let mut counter = Counter::<H>::open();
    let members = vec![plain(&counter, counter.deposit(10)), plain(&counter, counter.deposit(20))];
    let decided = counter.group("g-1", members);
    let GroupDecided::Accepted { header, members, replayed: false } = decided else { panic!("{decided:?}") };
    assert_eq!(header.body, Body::Group { members: 2 });
    let sequences: Vec<u64> = members.iter().map(|member| member.sequence.0).collect();
    assert_eq!(sequences, [header.sequence.0 + 1, header.sequence.0 + 2]);
    assert_eq!(members.iter().map(|member| member.entries[0].amount).collect::<Vec<_>>(), [10, 20]);
    assert!(members.iter().all(|member| member.in_group));
    assert_eq!(counter.balance(counter.alice), 30);
}

/// The second spends what the first brought.
pub fn members_see_those_before_them<H: Home>() {
    let mut counter = Counter::<H>::open();
    let members = vec![plain(&counter, counter.deposit(10)), plain(&counter, counter.transfer(10))];
    assert!(matches!(counter.group("g-1", members), GroupDecided::Accepted { .. }));
    assert_eq!((counter.balance(counter.alice), counter.balance(counter.bob)), (0, 10));
}

/// The refusal is kept under the group's key; the members' own keys stay unused.
pub fn a_refused_group_changes_nothing_and_is_remembered<H: Home>() {
    let mut counter = Counter::<H>::open();
    let member = counter.keyed(counter.deposit(10), "m-1");
    let members = vec![member.clone(), plain(&counter, counter.transfer(11))];
    let decided = counter.group("g-1", members.clone());
    let GroupDecided::Not(Decided::Refused { refusal, replayed: false, event: Some(event) }) = decided else {
        panic!("{decided:?}")
    };
    assert_eq!((refusal.code, refusal.member), (Code::InsufficientFunds, Some(1)));
    assert_eq!(counter.balance(counter.alice), 0);
    let _ = happened(counter.submit(member));
    counter.reopen();
    let again = counter.group("g-1", members);
    assert_eq!(again, GroupDecided::Not(Decided::Refused { refusal, replayed: true, event: Some(event) }));
}

/// With its members, which are read back.
pub fn a_group_is_replayed_whole<H: Home>() {
    let mut counter = Counter::<H>::open();
    let members = vec![counter.keyed(counter.deposit(10), "m-1"), plain(&counter, counter.deposit(20))];
    let first = counter.group("g-1", members.clone());
    let GroupDecided::Accepted { header, members: events, .. } = first else { panic!("{first:?}") };
    counter.done(counter.deposit(1));
    for restarted in [false, true] {
        if restarted && !counter.reopen() {
            break;
        }
        let again = counter.group("g-1", members.clone());
        let expected =
            GroupDecided::Accepted { header: header.clone(), members: events.clone(), replayed: true };
        assert_eq!(again, expected);
        let member = counter.submit(members[0].clone());
        assert_eq!(member, Decided::Accepted { event: events[0].clone(), replayed: true });
    }
    assert_eq!(counter.balance(counter.alice), 31);
}

/// Its own or a member's.
pub fn a_key_that_was_used_before_refuses_the_group<H: Home>() {
    let mut counter = Counter::<H>::open();
    let used = counter.keyed(counter.deposit(10), "k-1");
    let by = happened(counter.submit(used.clone())).sequence;
    let decided = counter.group("k-1", vec![plain(&counter, counter.deposit(1))]);
    assert_eq!(decided, GroupDecided::Not(Decided::KeyReused { by }));
    let decided = counter.group("g-1", vec![used]);
    let GroupDecided::Not(decided) = decided else { panic!("{decided:?}") };
    assert_eq!(refused(&decided), Code::KeyTakenInBatch);
    assert_eq!(counter.balance(counter.alice), 10);
}
