//! The model and the rules were written apart; over the memory store, where nothing fails, they agree on everything.

use std::collections::BTreeSet;

use bank::books::{Decided, GroupDecided};
use bank::store::memory;
use ledger::Code;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use sim::auditor;
use sim::desk::{Desk, Settings};
use sim::model::{Ask, Expected, Model};
use sim::time::{SECOND, SimClock};
use sim::workload::Workload;

fn settings() -> Settings {
    Settings { refusals: (1, 40), ..Settings::default() }
}

fn answers(desk: &mut Desk, ask: Ask) -> Vec<Option<Decided>> {
    match ask {
        Ask::One(request) => {
            vec![Some(desk.ask(|books| async move { books.submit(request).await }).unwrap())]
        }
        Ask::Many(requests) => {
            let answers = desk.ask(|books| async move { books.submit_all(requests).await }).unwrap();
            answers.into_iter().map(|one| Some(one.unwrap())).collect()
        }
        Ask::Group { header, members } => {
            match desk.ask(|books| async move { books.submit_group(header, members).await }).unwrap() {
                GroupDecided::Accepted { header, replayed, .. } => {
                    vec![Some(Decided::Accepted { event: header, replayed })]
                }
                GroupDecided::Not(decided) => vec![Some(decided)],
            }
        }
        Ask::Name(kind, text) => {
            desk.ask(|books| async move { books.intern(kind, &text).await }).unwrap();
            vec![None]
        }
    }
}

/// Runs one seed and tells which codes were met.
fn agree(seed: u64, asks: usize) -> BTreeSet<Code> {
    let (store, reads) = memory::open();
    let (clock, reads) = (SimClock::default(), std::sync::Arc::new(reads));
    let mut desk = Desk::new(store, reads.clone(), clock.clone(), &settings(), |_| ());
    let mut model = Model::new(settings().refusals);
    let first = auditor::history(&*reads);
    model.fold(&(&first[0]).into(), None);
    let mut workload = Workload::new(seed);
    let mut rng = SmallRng::seed_from_u64(seed ^ 1);
    let mut met = BTreeSet::new();
    for _ in 0..asks {
        clock.pass(rng.random_range(0..20 * SECOND));
        let ask = workload.next(&model, clock.now());
        let answered = answers(&mut desk, ask.clone());
        model.expire(clock.now());
        let expected = model.expect(&ask, clock.now());
        for (expected, answered) in expected.iter().zip(&answered) {
            if let Some(answered) = answered {
                auditor::same_answer(expected, answered, &model);
            }
            if let Expected::Refused(why, _) = expected {
                met.insert(why.code);
            }
        }
    }
    let history = auditor::history(&*reads);
    let told: Vec<_> = history.iter().map(sim::model::Fact::from).collect();
    let modelled: Vec<_> = model.facts.iter().map(|fact| (**fact).clone()).collect();
    assert_eq!(told, modelled, "the history is what the model says");
    assert_eq!(auditor::audit(&history).head(), model.head());
    let state = bank::store::Reads::state_at(&*reads, ledger::Sequence(model.head())).unwrap();
    auditor::same_state(&state, &model);
    met
}

#[test]
fn the_model_and_the_rules_agree_on_every_answer_and_every_balance() {
    let met: BTreeSet<Code> = (0..12).flat_map(|seed| agree(seed, 1_500)).collect();
    // Not the rules' to say: an unknown transaction is found out before, a hold that is due has been ended by the
    // sequencer by then, a refused batch tells of the member that was refused, and a known name of its number.
    let elsewhere = [Code::UnknownTransaction, Code::HoldExpired, Code::BatchRefused, Code::NameKnown];
    let missed: Vec<&Code> =
        Code::ALL.iter().filter(|code| !met.contains(code) && !elsewhere.contains(code)).collect();
    assert_eq!(missed, Vec::<&Code>::new(), "codes that the workload never reached");
}
