//! The bytes of a few events, pinned: yesterday's records open tomorrow.
//!
//! A difference here is a change of the format. It needs a version, not a new page: the pages below stand for
//! journals that are in use. (`BLESS=1` writes a page that is not there yet; it never changes one.)

use std::path::Path;

use super::*;

/// Compares with the page of this name.
pub(super) fn pinned(name: &str, text: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/codec/tests/{name}.hex"));
    if !page.exists() && std::env::var_os("BLESS").is_some() {
        std::fs::write(&page, format!("{text}\n")).expect("the page can be written");
    }
    let expected = std::fs::read_to_string(&page).unwrap_or_else(|_| panic!("{} is missing", page.display()));
    assert_eq!(text, expected.trim_end(), "the format changed: see {}", page.display());
}

fn with(body: Body, entries: usize) -> Event {
    let mut event = Event { body, key: Digest::NONE, fingerprint: Digest::NONE, ..transfer() };
    event.entries.truncate(entries);
    for entry in &mut event.entries {
        (entry.effect, entry.amount) = (Effect::Touched, 0);
    }
    event
}

fn events() -> Vec<(&'static str, Event)> {
    let note = Note {
        reference: Some("INV-7".into()),
        description: Some("ভাড়া".into()),
        on_behalf_of: Some(NameId(4)),
        approver: Some(NameId(5)),
        trace: Some([1; 16]),
        payment: Some([2; 16]),
    };
    let reversal = Body::Posted {
        kind: TransactionKind::Reversal,
        hold: None,
        reverses: Some((Sequence(998), SmallVec::from_slice(&[2, 0]))),
    };
    let capture = Body::Posted { kind: TransactionKind::Capture, hold: Some(Sequence(997)), reverses: None };
    let mut held = with(Body::HoldPlaced { expires_at: 1_767_700_000_000_000 }, 1);
    (held.entries[0].effect, held.entries[0].amount) = (Effect::Held, 500);
    let mut released = with(Body::HoldEnded { hold: Sequence(999), how: HoldEnd::Expired }, 1);
    (released.entries[0].effect, released.entries[0].amount) = (Effect::Released, 500);
    let opening = Opening {
        account_type: AccountType::Liability,
        currency: Currency::from_code("BDT").unwrap(),
        status: Status::Pending,
        overdraft_limit: 5_000,
        owner: NameId(6),
        number: "BC0000000003".into(),
        name: "Alice".into(),
    };
    let changed = Body::AccountChanged {
        status: Some((Status::Active, Status::Frozen)),
        overdraft_limit: Some((5_000, 0)),
    };
    let refusal = Refusal::new(Code::InsufficientFunds)
        .on(AccountId(3))
        .in_currency(Currency::from_code("BDT").unwrap())
        .figures(300_000, 500_000);
    let in_group = Event { in_group: true, ..transfer() };
    vec![
        ("a transfer", transfer()),
        ("a transfer in a group, with a note", Event { note: Some(Arc::new(note)), ..in_group }),
        ("a capture", Event { body: capture, ..transfer() }),
        ("a reversal of entries 2 and 0", Event { body: reversal, ..transfer() }),
        ("a bank", with(Body::BankOpened { bank: [7; 16], timeline: 1, name: "Test Bank".into() }, 0)),
        ("a name", with(Body::Named { id: NameId(6), kind: NameKind::Principal, text: "alice".into() }, 0)),
        ("an account", with(Body::AccountOpened(Box::new(opening)), 1)),
        ("a change", with(changed, 1)),
        ("a hold", held),
        ("its end", released),
        ("a day", with(Body::DayOpened { date: Date(20_458) }, 0)),
        ("its end", with(Body::DayClosed { date: Date(20_458) }, 0)),
        ("a refusal", with(Body::Refused(refusal), 0)),
        ("a group", with(Body::Group { members: 8_192 }, 0)),
    ]
}

#[test]
fn records_do_not_change() {
    let mut page = String::new();
    for (what, event) in events() {
        page += &format!("# {what}\n");
        for row in record(&event).chunks(32) {
            row.iter().for_each(|byte| page += &format!("{byte:02x}"));
            page += "\n";
        }
    }
    pinned("records", page.trim_end());
}

/// And yesterday's bytes read as yesterday's events.
#[test]
fn pinned_records_are_read() {
    let page = include_str!("records.hex");
    let records = page.split('#').skip(1).map(|part| {
        let hex: String = part.lines().skip(1).collect();
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        decode(&(0..hex.len()).step_by(2).map(byte).collect::<Vec<_>>()).unwrap()
    });
    assert!(records.eq(events().into_iter().map(|(_, event)| event)));
}
