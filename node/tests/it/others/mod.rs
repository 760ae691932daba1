//! Bugs that users of other gateways reported, each with the tests that would find it here.
//!
//! A test stands where the thing is decided: most in the ledger and in the allowances, which are pure
//! or run on a clock of their own; here are those that need a real node and somebody who counts.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]
#![expect(clippy::large_futures, reason = "a test's buffers may lie in its future")]

mod limits;
mod prices;
mod restarts;
mod rotation;

/// A bug, and a test that would find it: its file below the root of the repository, and its name.
type Bug = (&'static str, &'static [(&'static str, &'static str)]);

/// All of them.
const BUGS: [Bug; 20] = [
    (
        "concurrent requests all pass on the last cent, each having seen it unspent",
        &[
            (
                "node/tests/it/others/limits.rs",
                "callers_at_once_share_what_is_left_and_not_one_more_gets_through",
            ),
            (
                "node/tests/it/others/limits.rs",
                "the_last_cent_is_spent_once_however_many_ask_for_it",
            ),
            (
                "cluster/src/allowance/tests/threads.rs",
                "no_interleaving_holds_more_than_was_granted",
            ),
        ],
    ),
    (
        "a window that is over still refuses, or is charged, until a sweep has reset it",
        &[
            (
                "node/tests/it/others/limits.rs",
                "a_window_that_is_over_starts_anew_by_itself_and_once",
            ),
            (
                "cluster/src/allowance/tests/cases.rs",
                "a_period_ends_by_the_clock_or_by_the_log_and_spend_stays_with_its_hold",
            ),
        ],
    ),
    (
        "a calendar window is reset twice, or on the wrong day",
        &[
            ("storage/ledger/src/command/open_period.rs", "no_clock_opens_a_period_twice_or_early"),
            ("storage/ledger/src/calendar/zone.rs", "a_midnight_that_comes_twice_begins_one_day"),
            ("storage/ledger/src/calendar/zone.rs", "a_skipped_day_is_nobodys"),
            (
                "storage/ledger/src/calendar/zone.rs",
                "spans_are_those_of_a_slow_walk_around_every_setting_of_the_clocks",
            ),
        ],
    ),
    (
        "a model nobody knows the price of is free",
        &[(
            "node/tests/it/plane/hostile_upstream.rs",
            "a_model_without_a_price_follows_the_providers_policy",
        )],
    ),
    (
        "a budget of zero means no limit",
        &[
            ("node/tests/it/others/limits.rs", "a_limit_of_nothing_lets_nothing_through"),
            (
                "cluster/src/allowance/tests/cases.rs",
                "a_charge_above_the_limit_never_fits_and_a_zero_limit_lets_nothing_through",
            ),
        ],
    ),
    (
        "usage that was not written yet is lost when a node is shut down, or crashes",
        &[
            (
                "node/tests/it/others/restarts.rs",
                "what_was_used_just_before_a_shutdown_is_on_the_books_after_it",
            ),
            (
                "node/tests/it/others/restarts.rs",
                "what_was_used_just_before_a_crash_is_on_the_books_after_it",
            ),
        ],
    ),
    (
        "a stream whose caller leaves is free",
        &[
            (
                "node/tests/it/plane/streams.rs",
                "a_caller_that_leaves_in_the_middle_is_settled_for_what_came_and_the_upstream_cancelled",
            ),
            (
                "node/tests/it/plane/openings.rs",
                "a_caller_that_leaves_before_the_first_event_is_settled_once",
            ),
        ],
    ),
    (
        "requests that repeat an x-request-id are billed once",
        &[("node/tests/it/others/prices.rs", "two_requests_with_one_request_id_are_two_requests")],
    ),
    (
        "tokens read from a cache are billed at the full price",
        &[(
            "node/tests/it/others/prices.rs",
            "tokens_from_the_cache_cost_what_such_tokens_cost_and_each_token_once",
        )],
    ),
    (
        "tokens written to a cache are counted twice",
        &[(
            "node/tests/it/others/prices.rs",
            "tokens_from_the_cache_cost_what_such_tokens_cost_and_each_token_once",
        )],
    ),
    (
        "usage that a provider repeats in every chunk is summed",
        &[(
            "node/tests/it/others/prices.rs",
            "usage_told_in_every_chunk_is_counted_so_far_and_not_summed",
        )],
    ),
    (
        "of several attempts that a provider billed only one is",
        &[
            ("node/tests/it/others/prices.rs", "every_attempt_that_a_provider_billed_is_paid_for"),
            (
                "node/tests/it/plane/hostile_upstream.rs",
                "another_place_is_asked_where_one_fails_and_each_is_settled",
            ),
        ],
    ),
    (
        "a fallback is billed at the price of the model that was asked for",
        &[("node/tests/it/others/prices.rs", "a_fallback_costs_what_its_own_model_costs")],
    ),
    (
        "requests that are refused burn the quota of others, or their own",
        &[
            (
                "node/tests/it/others/limits.rs",
                "a_request_one_limit_refuses_is_counted_by_no_other",
            ),
            (
                "node/tests/it/plane/happy.rs",
                "rates_are_kept_and_told_and_a_refused_request_burns_none",
            ),
            ("cluster/src/rates/tests.rs", "a_refused_or_cancelled_request_burns_nothing"),
        ],
    ),
    (
        "a limit lowered below what is spent wraps around, or forgets the spend",
        &[
            (
                "node/tests/it/others/limits.rs",
                "a_limit_lowered_below_what_is_spent_refuses_and_forgets_nothing",
            ),
            (
                "storage/ledger/src/account.rs",
                "lowering_a_limit_below_what_is_out_makes_the_pool_negative",
            ),
        ],
    ),
    (
        "a team is deleted and its keys go on without any limit",
        &[("storage/ledger/src/command/delete_scope.rs", "a_team_with_living_keys_is_not_deleted")],
    ),
    (
        "a million small charges drift away from their sum",
        &[(
            "node/tests/it/others/prices.rs",
            "a_million_charges_of_a_fraction_of_a_cent_sum_to_the_nano_dollar_on_every_book",
        )],
    ),
    (
        "a key that is edited begins anew",
        &[
            (
                "node/tests/it/others/limits.rs",
                "a_key_that_is_edited_or_rotated_goes_on_where_it_was",
            ),
            ("storage/ledger/src/view/path.rs", "a_rotated_key_goes_on_with_its_accounts"),
            (
                "node/tests/it/others/rotation.rs",
                "a_key_that_gets_other_secrets_under_traffic_keeps_its_usage_to_the_nano_dollar",
            ),
        ],
    ),
    (
        "counters that were not used for a while are evicted, and begin anew",
        &[(
            "node/tests/it/others/limits.rs",
            "what_was_counted_long_ago_is_not_forgotten_for_others",
        )],
    ),
    (
        "every node lets the whole limit through",
        &[
            (
                "node/tests/it/proof/budget.rs",
                "two_thousand_calls_at_once_never_pass_a_budget_for_half_of_them",
            ),
            (
                "cluster/src/rates/tests.rs",
                "all_nodes_together_stay_within_the_limit_once_they_have_shares",
            ),
        ],
    ),
];

#[test]
fn every_bug_on_the_list_has_its_tests() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (bug, tests) in BUGS {
        assert!(!tests.is_empty(), "{bug}");
        for (file, name) in tests {
            let source = std::fs::read_to_string(root.join(file)).unwrap();
            let written = source.contains(&format!("fn {name}("));
            assert!(written, "{file} has no test {name}: {bug}");
        }
    }
}
