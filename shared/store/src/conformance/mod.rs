//! What every [`Store`] must do, as cases that any of them can be put through: the judge between the embedded store and
//! all that come after it.
//!
//! It is compiled always and not behind a feature: it needs nothing that the store does not, a program that calls none of
//! it holds none of it, and a feature would be one more build to keep working. It never looks inside a store and never
//! panics: a case that fails says what it saw.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Error, Store};

/// Fails the case unless both are the same.
macro_rules! same {
    ($got:expr, $want:expr) => {
        match (&$got, &$want) {
            (got, want) => {
                if got != want {
                    return Err(crate::conformance::Failed::new(
                        file!(),
                        line!(),
                        &format!("{}\n   was {got:?}\n   not {want:?}", stringify!($got)),
                    ));
                }
            }
        }
    };
}

/// Fails the case unless this holds.
macro_rules! holds {
    ($holds:expr) => {
        if !$holds {
            return Err(crate::conformance::Failed::new(
                file!(),
                line!(),
                &format!("this does not hold: {}", stringify!($holds)),
            ));
        }
    };
}

mod admin;
mod arms;
mod codes;
mod commits;
mod counters;
mod deliveries;
mod drafts;
mod entries;
mod heard;
mod known;
mod leases;
mod lists;
mod measures;
mod races;
mod reads;
mod revise;
pub mod sample;
mod stage;
mod walk;

/// A store under way.
pub type Making = Pin<Box<dyn Future<Output = Arc<dyn Store>> + Send>>;

type Running = Pin<Box<dyn Future<Output = Result<(), Failed>> + Send>>;

/// A case with its name.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What must hold.
    pub name: &'static str,
    run: fn(Arc<dyn Store>) -> Running,
}

impl Case {
    /// Puts an empty store through this case.
    pub async fn run(&self, store: Arc<dyn Store>) -> Result<(), Failed> {
        let ended = (self.run)(store).await;
        ended.map_err(|failed| Failed(format!("{}: {}", self.name, failed.0)))
    }
}

/// What was not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed(String);

impl Failed {
    fn new(file: &str, line: u32, what: &str) -> Self {
        Self(format!("{file}:{line}: {what}"))
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(format!("the store failed: {error}"))
    }
}

/// Puts stores through every case, a new and empty one from `make` for each; names all cases that failed.
pub async fn all(make: &(dyn Fn() -> Making + Sync)) -> Result<usize, Vec<Failed>> {
    let mut failed = Vec::new();
    for case in CASES {
        if let Err(why) = case.run(make().await).await {
            failed.push(why);
        }
    }
    if failed.is_empty() {
        Ok(CASES.len())
    } else {
        Err(failed)
    }
}

macro_rules! cases {
    ($($room:ident: $($name:ident),+;)+) => {
        /// All cases.
        pub const CASES: &[Case] = &[
            $($(Case {
                name: concat!(stringify!($room), "::", stringify!($name)),
                run: |store| Box::pin(async move { $room::$name(stage::Stage::set(store).await?).await }),
            },)+)+
        ];
    };
}

cases! {
    commits: the_first_creates, the_next_replaces_and_appends, a_carried_record_brings_its_grants, a_wrong_version_is_stale_and_brings_the_record,
        a_version_of_another_history_is_no_ground, the_same_again_is_replayed, a_replay_outlives_whatever_comes_after, a_replay_comes_before_pause_and_revision,
        another_body_under_the_key_is_refused, a_key_is_a_users_own, an_answer_is_forgotten_after_a_day,
        the_newest_sixteen_answers_are_remembered, a_rejection_is_not_remembered,
        a_revision_that_is_not_live_is_superseded, an_unknown_campaign_is_superseded, a_pause_stops_the_live_lane,
        a_pause_may_stop_one_event;
    heard: what_was_heard_stays_until_it_is_replaced, a_message_pushes_out_no_answer, a_record_that_heard_less_is_no_ground;
    entries: entries_are_numbered_lane_by_lane, a_closed_list_takes_no_entry, there_is_no_list_without_a_draw,
        who_entered_is_on_the_list_and_nobody_else, a_draw_is_booked_once;
    counters: serials_count_up_from_nought, exhausted_names_every_counter_with_what_is_left, exhausted_moves_nothing,
        a_missing_counter_is_frozen, only_a_days_budget_begins_by_itself, a_budget_is_never_overdrawn,
        a_budget_of_a_day_begins_anew, a_quota_begins_by_itself_and_is_one_rules_and_one_days, counters_of_days_long_past_are_forgotten, a_tally_begins_by_itself_and_is_read_by_its_team, a_code_begins_by_itself_and_is_used_as_often_as_it_may, two_moves_of_one_counter_count_together, several_units_in_one_commit,
        what_waits_for_a_release_is_not_given,
        units_and_rows_must_agree, lanes_are_apart;
    reads: rows_are_numbered_in_order, rows_are_read_from_anywhere, a_row_tells_its_commit, a_history_is_of_one_user,
        timers_are_due_in_order, a_timer_is_replaced_and_removed, recall_tells_what_is_live,
        what_was_published_is_read_back;
    known: who_was_here_is_known_lane_by_lane, what_was_refused_makes_nobody_known, who_was_purged_is_not_known;
    admin: a_tenant_is_created_once, nothing_is_done_for_a_stranger, the_same_definition_is_published_once,
        a_new_definition_is_live_at_once, a_ceiling_moves_with_the_figure, a_ceiling_stays_above_what_is_gone,
        lowering_and_raising_makes_no_units, added_stock_is_exact, a_resume_ends_a_pause, a_clock_is_moved,
        a_key_is_replayed, an_audit_shows_tampering, changes_are_told;
    revise: a_rollback_is_the_next_revision, a_rollback_moves_the_ceilings, a_rollback_to_nowhere_is_refused,
        a_purge_leaves_nothing, a_purge_is_final, a_purge_leaves_the_other_editions,
        a_test_lane_is_emptied_alone;
    measures: nothing_of_a_stopped_reward_is_given, what_is_left_is_withdrawn, a_tenants_pause_stops_all_its_campaigns,
        a_tenants_pause_stops_what_is_published_later, a_blocked_user_is_refused, a_block_ends_by_itself,
        a_blocked_user_is_not_due, staff_amend_what_is_stopped, what_is_given_by_hand_is_no_promise,
        what_is_done_to_a_user_is_booked, a_notice_is_kept;
    arms: a_step_is_of_the_users_own_revision, a_share_grows_and_ends_as_the_whole, what_is_taken_back_is_nobodys,
        a_release_stands_beside_one_revision, a_release_is_in_the_audit_and_replayed;
    walk: everyone_is_met, a_walk_of_nobody_ends;
    leases: one_holds_it, of_many_one_gets_it, jobs_and_lanes_are_apart, a_number_is_never_used_again,
        one_that_is_over_is_not_brought_back, a_stranger_releases_nothing, a_commit_under_it_is_a_commit,
        a_commit_under_a_lost_one_is_refused, a_lease_is_of_one_lane;
    deliveries: a_mark_only_grows, marks_are_apart, a_mark_is_of_a_lane_that_is_there, what_is_parked_is_kept_whole,
        parked_again_is_one_entry, the_newest_are_kept_and_the_rest_counted, what_is_taken_away_is_in_the_audit,
        tenants_are_apart;
    drafts: a_draft_is_kept_whole, a_stale_edit_changes_nothing, of_many_editors_one_is_first, a_save_is_replayed,
        others_approve_and_an_edit_ends_that, a_draft_is_published_once_and_gone, of_many_publishers_one_publishes,
        a_schedule_is_kept_and_an_edit_cancels_it;
    lists: who_is_on_a_list_is_told, a_list_is_replaced_as_a_whole, a_list_is_taken_away, a_list_is_audited_and_put_once;
    codes: a_unit_is_the_code_at_its_serial, a_code_is_put_once, a_pool_is_one_rewards, a_put_is_audited_without_a_code,
        a_fill_moves_the_stock_of_both_lanes, a_record_keeps_which_units_it_has, of_many_winners_each_has_another_code;
    races: ten_units_have_ten_winners, a_window_gives_exactly_its_stock, a_code_is_used_by_exactly_one, twins_get_one_answer, one_user_is_never_in_two_places,
        a_dropped_commit_still_commits;
}
