//! What is asked of a bank and what it answered, as values to be compared later.

use bank::books::{Books, Decided, GroupDecided, Unnamed};
use bank::sequencer::Fault;
use ledger::{AccountId, Digest, Sequence};

use crate::auditor;
use crate::desk::Asked;
use crate::model::{Ask, Expected, Model};

/// One thing in the queue.
#[derive(Clone, Debug)]
pub(super) enum Job {
    Ask(Ask),
    Look(Look),
    ConfirmClock,
}

/// A question about the books as they stand.
#[derive(Clone, Debug)]
pub(super) enum Look {
    Account(u64),
    Claim(Digest),
    Hold(u64),
    Day,
    TrialBalance,
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// One for each request.
    Each(Vec<Result<Decided, Fault>>),
    Group(GroupDecided),
    Name(u32),
    Account(Option<ledger::Account>),
    Claim(Option<u64>),
    Hold(bool, Option<u8>),
    Day(Option<i32>, Option<i32>),
    TrialBalance(u64, Vec<(ledger::Currency, u128, u128)>),
    Done,
}

/// Asks; the future is polled by the caller.
pub(super) fn ask(books: Books, job: Job) -> Asked<Result<Answer, Fault>> {
    Box::pin(async move {
        Ok(match job {
            Job::Ask(Ask::One(request)) => Answer::Each(vec![Ok(books.submit(request).await?)]),
            Job::Ask(Ask::Many(requests)) => Answer::Each(books.submit_all(requests).await?),
            Job::Ask(Ask::Group { header, members }) => {
                Answer::Group(books.submit_group(header, members).await?)
            }
            Job::Ask(Ask::Name(kind, text)) => match books.intern(kind, &text).await {
                Ok(id) => Answer::Name(id.0),
                Err(Unnamed::Fault(fault)) => return Err(fault),
                Err(refused) => panic!("names here are short: {refused}"),
            },
            Job::Look(Look::Account(id)) => {
                Answer::Account(books.account(AccountId(id)).await?.map(|view| view.account))
            }
            Job::Look(Look::Claim(key)) => {
                Answer::Claim(books.claim(key).await?.map(|claimed| claimed.sequence.0))
            }
            Job::Look(Look::Hold(id)) => {
                let (hold, end) = books.hold(Sequence(id)).await?;
                Answer::Hold(hold.is_some(), end.map(|end| end.tag))
            }
            Job::Look(Look::Day) => {
                let day = books.day().await?;
                Answer::Day(day.open.map(|day| day.0), day.newest.map(|day| day.0))
            }
            Job::Look(Look::TrialBalance) => {
                let balance = books.trial_balance().await?;
                let totals = balance.totals().into_iter().map(|(currency, (d, c))| (currency, d, c));
                Answer::TrialBalance(balance.as_of.0, totals.collect())
            }
            Job::ConfirmClock => {
                books.confirm_clock().await?;
                Answer::Done
            }
        })
    })
}

/// What the model says to a job, in the same order as the bank decides.
#[derive(Clone, Debug)]
pub(super) enum Due {
    Outcomes(Vec<Expected>),
    Answer(Box<Answer>),
    Account(Option<crate::model::Account>),
}

impl Due {
    /// Must any part of it meet the fault that keeps the bank from deciding?
    pub(super) fn meets_fault(&self) -> bool {
        matches!(self, Due::Outcomes(expected) if expected.contains(&Expected::NotNow))
    }
}

/// Works out what must be answered; a request changes the model. Without a time nothing may be decided.
pub(super) fn due(model: &mut Model, job: &Job, time: Option<i64>) -> Due {
    let answer = |answer| Due::Answer(Box::new(answer));
    match job {
        Job::Ask(ask) => Due::Outcomes(match time {
            Some(time) => model.expect(ask, time),
            None => model.known(ask),
        }),
        Job::Look(Look::Account(id)) => Due::Account(model.accounts.get(id).cloned()),
        Job::Look(Look::Claim(key)) => answer(Answer::Claim(model.keys.get(key).map(|(by, _)| *by))),
        Job::Look(Look::Hold(id)) => {
            let end = model.facts.iter().find_map(|fact| match fact.what {
                crate::model::What::HoldEnded { hold, how } if hold == *id => Some(how as u8),
                crate::model::What::Posted { hold: Some(hold), .. } if hold == *id => Some(1),
                _ => None,
            });
            answer(Answer::Hold(model.holds.contains_key(id), end))
        }
        Job::Look(Look::Day) => answer(Answer::Day(model.open_day, model.newest_day)),
        Job::Look(Look::TrialBalance) => {
            let sums = model.sums().into_iter();
            let lines = sums.map(|(currency, (d, c))| (currency, d as u128, c as u128)).collect();
            answer(Answer::TrialBalance(model.head(), lines))
        }
        Job::ConfirmClock => answer(Answer::Done),
    }
}

/// Is that what came back? A part that could not be read is for the caller to allow or not.
pub(super) fn same(due: &Due, job: &Job, answer: &Answer, model: &Model) {
    match (due, answer) {
        (Due::Outcomes(expected), Answer::Each(each)) => {
            assert_eq!(expected.len(), each.len(), "one outcome for each request");
            for (expected, one) in expected.iter().zip(each) {
                if let Ok(one) = one {
                    auditor::same_answer(expected, one, model);
                }
            }
        }
        (Due::Outcomes(expected), Answer::Group(GroupDecided::Accepted { header, members, replayed })) => {
            let decided = Decided::Accepted { event: header.clone(), replayed: *replayed };
            auditor::same_answer(&expected[0], &decided, model);
            let first = header.sequence.0 as usize;
            for (index, member) in members.iter().enumerate() {
                assert_eq!(crate::model::Fact::from(member), *model.facts[first + index], "a member");
            }
        }
        (Due::Outcomes(expected), Answer::Group(GroupDecided::Not(decided))) => {
            auditor::same_answer(&expected[0], decided, model);
        }
        (Due::Outcomes(expected), Answer::Name(id)) => match &expected[0] {
            Expected::Named(known) => assert_eq!(known, id),
            Expected::Accepted(facts) => {
                let named = matches!(facts[0].what, crate::model::What::Named { id: new, .. } if new == *id);
                assert!(named, "the number of a new name");
            }
            other => panic!("expected {other:?}, answered {answer:?}"),
        },
        (Due::Account(None), Answer::Account(None)) => {}
        (Due::Account(Some(expected)), Answer::Account(Some(account))) => {
            let Job::Look(Look::Account(id)) = job else { unreachable!() };
            auditor::same_account(*id, account, expected);
        }
        (Due::Answer(expected), answer) => assert_eq!(**expected, *answer, "to {job:?}"),
        _ => panic!("expected {due:?}\nanswered {answer:?}"),
    }
}
