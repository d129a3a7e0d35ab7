//! Conformance: what every store must do, written once.
//!
//! A [`Home`] is a place where books can live. The behaviours know nothing of it but whether books survive being
//! opened again. `tests/conformance.rs` runs them all over every store:
//!
//! ```text
//!  sim::conformance!(memory, Memory);      // one test for each behaviour
//!  sim::conformance!(journal, Journal);
//! ```

mod counter;
pub mod groups;
pub mod history;
pub mod holds;
pub mod homes;
pub mod keys;
pub mod queries;
pub mod value_dates;

pub use counter::{Counter, bdt, happened, refused};
pub use homes::{Journal, Memory, MySql};

use crate::desk::{Desk, Settings};
use crate::time::SimClock;

/// A place where books can live.
pub trait Home {
    /// Are they still there when it is opened again?
    const SURVIVES: bool;

    /// A place with nothing in it.
    fn fresh() -> Self;

    /// Opens the books, which are new the first time. What was open before has been dropped.
    fn open(&mut self, clock: SimClock, settings: &Settings) -> Desk;
}

/// Declares a module with a test for each behaviour over a home.
#[macro_export]
macro_rules! conformance {
    ($module:ident, $home:ty) => {
        mod $module {
            $crate::conformance_of!($home, keys:
                a_key_posts_once_and_answers_the_same_for_ever,
                a_key_with_another_request_is_refused_and_names_the_first,
                the_same_key_of_another_principal_is_another_key,
                a_refusal_by_the_books_is_kept_and_replayed,
                a_request_that_can_never_be_accepted_leaves_its_key_unused,
                beyond_the_budget_no_refusal_is_kept,
                a_key_can_be_asked_for,
                ten_thousand_keys_later_the_first_is_still_known,
            );
            $crate::conformance_of!($home, groups:
                a_group_happens_whole_and_in_order,
                members_see_those_before_them,
                a_refused_group_changes_nothing_and_is_remembered,
                a_group_is_replayed_whole,
                a_key_that_was_used_before_refuses_the_group,
            );
            $crate::conformance_of!($home, holds:
                a_hold_expires_when_its_time_has_come_and_not_before,
                what_is_due_has_ended_before_a_request_of_the_same_batch,
                an_ended_hold_is_remembered_by_its_end,
                a_capture_releases_the_rest,
                holds_outlive_a_restart,
            );
            $crate::conformance_of!($home, queries:
                accounts_are_listed_in_order_and_by_owner,
                the_trial_balance_balances_at_a_sequence,
                a_name_has_one_number_for_ever,
                the_business_day_is_what_was_opened_last,
                questions_in_a_batch_see_what_was_decided_before_them,
                a_leap_of_the_clock_stops_writes_but_not_questions,
            );
            $crate::conformance_of!($home, history:
                pages_meet_without_gaps_in_both_directions,
                a_filtered_page_says_where_to_go_on,
                a_reference_is_paged_from_the_newest,
                a_balance_can_be_asked_for_at_any_moment,
                the_state_at_a_sequence_is_the_fold_of_all_before,
                history_ends_at_the_head,
            );
            $crate::conformance_of!($home, value_dates:
                a_balance_by_value_date_counts_what_has_come_by_then,
                both_parts_of_a_balance_are_of_one_moment,
                late_entries_outlive_a_restart_and_are_there_for_ever,
            );
        }
    };
}

/// One test for each of these behaviours; see [`conformance!`](crate::conformance!).
#[macro_export]
macro_rules! conformance_of {
    ($home:ty, $topic:ident: $($behaviour:ident,)+) => {
        mod $topic {
            $(#[test]
            fn $behaviour() {
                $crate::conformance::$topic::$behaviour::<$home>();
            })+
        }
    };
}
