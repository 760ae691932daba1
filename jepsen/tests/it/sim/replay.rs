//! A seed is a run.

use jepsen::sim::run;

#[test]
fn a_seed_gives_the_same_run_again_event_by_event() {
    for seed in [1, 2, 3, 7] {
        let once = run(seed, None);
        let again = std::thread::spawn(move || run(seed, None)).join().unwrap();
        assert_eq!(
            (once.hash, once.events, once.took_ms),
            (again.hash, again.events, again.took_ms)
        );
        assert_ne!(once.hash, run(seed + 100, None).hash);
    }
}
