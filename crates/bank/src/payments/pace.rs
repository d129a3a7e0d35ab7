//! When something is due again: intervals that grow, a little different for each payment.

use uuid::Uuid;

use super::payment::Payment;
use super::rail::settings::RailSettings;
use super::saga::Act;

/// How long a step of our own books waits before it is tried again, µs: least and most.
pub(super) const BOOKS_US: (i64, i64) = (1_000_000, 600_000_000);

/// When what a payment has to do is due, µs; never, if there is nothing to do.
pub(super) fn due(payment: &Payment, rail: &RailSettings, now_us: i64) -> Option<i64> {
    let saga = &payment.saga;
    let again = |first, most| match saga.tries {
        0 => now_us,
        tries => now_us + interval(first, most, tries, payment.id),
    };
    match payment.act() {
        Act::Rest => None,
        Act::Post(_) => Some(again(BOOKS_US.0, BOOKS_US.1)),
        Act::Await => Some(rail.next_window(now_us)),
        Act::Send | Act::Cancel | Act::Tell => Some(again(rail.enquire_after_us, rail.enquire_at_most_us)),
        Act::Prepare => {
            let soon = again(rail.enquire_after_us, rail.enquire_at_most_us);
            // Not later than the other bank has time for it.
            Some(payment.expected_at.map_or(soon, |deadline| deadline.min(soon)))
        }
        Act::Enquire => {
            let (first, most) = (rail.enquire_after_us, rail.enquire_at_most_us);
            let soon = now_us + interval(first, most, saga.tries.max(1), payment.id);
            // What the rail has and still may finish in time is not asked about before it should be finished.
            let expected = payment.expected_at.filter(|_| saga.state == super::saga::State::Accepted);
            Some(expected.map_or(soon, |expected| expected.max(soon)))
        }
    }
}

/// Doubles with each try up to `most`; up to a quarter less, so that payments that failed together do not come back
/// together.
pub(super) fn interval(first: i64, most: i64, tries: u32, id: Uuid) -> i64 {
    let doubled = first.saturating_mul(1 << (tries - 1).min(30)).min(most);
    let spread = i64::from(id.as_bytes()[15]);
    doubled - doubled / 4 * spread / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_double_up_to_the_bound_and_spread_by_a_quarter() {
        let (calm, eager) = (Uuid::from_bytes([0; 16]), Uuid::from_bytes([255; 16]));
        let at = |tries, id| interval(1_000, 60_000, tries, id);
        assert_eq!(
            [1, 2, 3, 6, 7, 40].map(|tries| at(tries, calm)),
            [1_000, 2_000, 4_000, 32_000, 60_000, 60_000]
        );
        assert_eq!(at(1, eager), 750);
        assert_eq!(interval(i64::MAX, i64::MAX, u32::MAX, calm), i64::MAX);
    }
}
