//! The bank database, one suite over both dialects: `bank.db`, and tables beside books in a real MariaDB.

mod arrival;
mod homes;
mod keys;
mod proof;
mod trail;

macro_rules! suite {
    ($module:ident, $home:ty) => {
        mod $module {
            suite!(@ $home, keys:
                a_key_authenticates_at_once_and_after_a_restart,
                the_secret_is_nowhere,
                a_wrong_secret_under_a_right_prefix_is_nobody,
                a_revoked_key_is_dead_when_the_command_returns_and_stays_dead,
                an_expired_key_is_dead_from_its_end_on,
                a_key_that_makes_no_sense_is_refused,
                the_largest_key_fits,
                refresh_writes_last_used_and_takes_over_what_was_done_by_hand,
                a_look_takes_over_what_another_service_changed,
            );
            suite!(@ $home, trail:
                every_change_leaves_a_record_with_its_actor,
                a_dropped_change_leaves_nothing_and_no_name_behind,
                a_hash_covers_the_one_before_it_and_every_column,
                what_bypassed_the_service_is_chained_by_the_next_change_and_by_the_next_start,
                a_template_of_notifications_is_in_the_trail_before_and_after,
                changes_of_several_services_make_one_trail,
                the_database_itself_refuses,
                the_database_of_another_bank_is_refused,
            );
        }
    };
    (@ $home:ty, $topic:ident: $($behaviour:ident,)+) => {
        mod $topic {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                crate::$topic::$behaviour::<$home>().await;
            })+
        }
    };
}

suite!(file, crate::homes::File);
suite!(server, crate::homes::Server);
