//! The cluster never admits more than a budget holds, by the provider's own count.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, interval, sleep};

use super::client::{Call, Ended};
use super::cluster::Cluster;

const REQUESTS: usize = 2_000;
/// Requests that the budget has room for.
const AFFORDABLE: i64 = 1_000;
/// Tokens of each answer, and the caller's limit: a call costs about what is held for it.
///
/// What a killed node strands is the difference of its holds in flight, and its idle allowance. Where callers
/// ask for far more than they use, that difference is theirs to choose; here it is a twelfth.
const ANSWER_TOKENS: u64 = 1_000;
/// Part of the budget that must be billed by the provider, killed node or not.
const USABLE_PERCENT: f64 = 95.0;
/// Answers after which a node is killed.
const KILL_AFTER: usize = 300;
/// How long a caller goes on asking while the budget is held by others.
const CALLER_PATIENCE: Duration = Duration::from_secs(15);
/// Looks at the books, 200 ms apart, that have to be the same: longer than between two reports of a node.
const STILL_LOOKS: usize = 15;

/// Which node is killed in the middle.
#[derive(Clone, Copy, Debug)]
enum Kill {
    Nobody,
    Follower,
    Leader,
}

#[derive(Debug, Default)]
struct Tally {
    answered: AtomicUsize,
    spent: AtomicUsize,
    unknown: AtomicUsize,
    gave_up: AtomicUsize,
    half_way: Notify,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_calls_at_once_never_pass_a_budget_for_half_of_them() {
    let figures = spend(Kill::Nobody).await;
    assert!(figures.billed_percent() >= USABLE_PERCENT, "{figures:?}");
    assert_eq!(figures.spent, figures.billed, "nothing was lost: {figures:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_budget_holds_while_a_node_is_killed() {
    usable_though_killed(Kill::Follower).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_budget_holds_while_the_leader_is_killed() {
    usable_though_killed(Kill::Leader).await;
}

/// Every round must keep to the budget and account for what was billed. How much stays usable depends on what
/// was held and not yet sent at the moment of the kill (96.0 to 99.9 % in 14 rounds): a round below the bound
/// has to be outdone by two above it.
async fn usable_though_killed(kill: Kill) {
    let mut needed = 1;
    for _ in 0..3 {
        let figures = spend(kill).await;
        assert!(figures.is_accounted_for(), "{figures:?}");
        if figures.billed_percent() >= USABLE_PERCENT {
            needed -= 1;
        } else {
            needed += 1;
        }
        if needed == 0 {
            return;
        }
    }
    panic!("most rounds left less than {USABLE_PERCENT} % of the budget usable");
}

/// What came out, in nano-USD.
#[derive(Debug, PartialEq, Eq)]
struct Figures {
    budget: i64,
    /// By the provider's books.
    billed: i64,
    /// By the cluster's books.
    spent: i64,
    /// Granted to a node that is gone, and not reported by it.
    stranded: i64,
}

impl Figures {
    fn billed_percent(&self) -> f64 {
        self.billed as f64 * 100.0 / self.budget as f64
    }

    /// All that was billed is in the cluster's books, as spent or as what a node took along.
    fn is_accounted_for(&self) -> bool {
        self.spent <= self.billed && self.billed <= self.spent + self.stranded
    }
}

async fn spend(kill: Kill) -> Figures {
    let cluster = Cluster::start(&["--nodes", "3"]).await;
    // Long enough for requests to be in flight on every node at once.
    let behaviour = r#"{"latency_ms":20,"output_tokens":1000}"#;
    cluster.simulator(Method::POST, "behave", behaviour).await;
    let (name, call, budget) = prepare(&cluster).await;
    let leader = cluster.leader().await;
    let killed = match kill {
        Kill::Nobody => None,
        Kill::Leader => Some(leader),
        Kill::Follower => Some((leader + 1) % 3),
    };
    let tally = Arc::new(Tally::default());
    let began = Instant::now();
    let callers: Vec<_> = (0..REQUESTS)
        .map(|n| {
            let mut urls: Vec<_> =
                cluster.facts.nodes.iter().map(|node| node.base_url.clone()).collect();
            urls.rotate_left(n % 3);
            let (tally, call, client) = (Arc::clone(&tally), call.clone(), cluster.client.clone());
            tokio::spawn(async move { tally.call(&client, &urls, &call).await })
        })
        .collect();
    tally.half_way.notified().await;
    if let Some(node) = killed {
        cluster.signal(node, Signal::KILL);
        let answered = tally.answered.load(Ordering::Relaxed);
        assert!(answered < KILL_AFTER * 2, "{answered} answered: too late to call it the middle");
    }
    for caller in callers {
        caller.await.unwrap();
    }
    let billed = cluster.billed_nano_usd().await;
    assert!(billed <= budget, "{billed} nano-USD billed on a budget of {budget}");
    let survivor = killed.map_or(0, |node| (node + 1) % 3);
    let figures = settled(&cluster, survivor, &name, budget).await;
    let Tally { answered, spent, unknown, gave_up, .. } = &*tally;
    println!(
        "budget proof, {kill:?} killed: {REQUESTS} calls in {:.1?}: {answered:?} answered, {spent:?} refused \
         as spent, {unknown:?} not known, {gave_up:?} gave up; {figures:?}, billed {:.2} % of the budget",
        began.elapsed(),
        figures.billed_percent(),
    );
    figures
}

/// A key whose budget pays for [`AFFORDABLE`] of its calls.
async fn prepare(cluster: &Cluster) -> (String, Call, i64) {
    let call = |key: &str| Call {
        max_tokens: ANSWER_TOKENS,
        answer_tokens: ANSWER_TOKENS,
        ..Call::new(key)
    };
    let budget = AFFORDABLE * call("").cost_nano_usd();
    let limit = json!({"limit_nano_usd": budget});
    let (status, made) = cluster.admin(0, Method::PUT, "budgets/half", Some(limit)).await;
    assert!(status.is_success(), "{made}");
    let key = json!({"name": "half", "budgets": ["half"]});
    let (status, made) = cluster.admin(0, Method::POST, "keys", Some(key)).await;
    assert!(status.is_success(), "{made}");
    ("half".to_owned(), call(made["key"].as_str().unwrap()), budget)
}

/// Waits until the cluster's books are still, and reads them.
async fn settled(cluster: &Cluster, node: usize, name: &str, budget: i64) -> Figures {
    let path = format!("budgets/{name}?consistency=linearizable");
    let mut figures = Figures { budget, billed: 0, spent: 0, stranded: 0 };
    let mut looks_alike = 0;
    let mut looks = interval(Duration::from_millis(200));
    while looks_alike < STILL_LOOKS {
        let (_, body) = cluster.admin(node, Method::GET, &path, None).await;
        let books = &body["windows"][0];
        let stranded = figure(books, "suspense") + figure(books, "held");
        let billed = cluster.billed_nano_usd().await;
        assert!(billed <= budget, "{billed} nano-USD billed on a budget of {budget}");
        let now = Figures { budget, billed, spent: figure(books, "spent"), stranded };
        looks_alike = if now == figures { looks_alike + 1 } else { 0 };
        figures = now;
        looks.tick().await;
    }
    figures
}

fn figure(books: &Value, name: &str) -> i64 {
    books[format!("{name}_nano_usd")].as_i64().unwrap_or_else(|| panic!("{name} in {books}"))
}

impl Tally {
    /// Calls until it is answered, refused for good, or its fate is not known; as behind a balancer, the
    /// next node is asked where one is gone.
    async fn call(&self, client: &reqwest::Client, urls: &[String], call: &Call) {
        let deadline = Instant::now() + CALLER_PATIENCE;
        for url in urls.iter().cycle() {
            let wait = match call.send(client, url).await {
                Ended::Answered => {
                    if self.answered.fetch_add(1, Ordering::Relaxed) + 1 == KILL_AFTER {
                        self.half_way.notify_one();
                    }
                    return;
                }
                Ended::Unreachable => continue,
                Ended::Unknown(_) => {
                    self.unknown.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Ended::Refused { status: 402, .. } => {
                    self.spent.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                // Held by requests in flight, or no leader for a moment: come back when told to.
                Ended::Refused { status: 429 | 503, retry_after, .. } => retry_after,
                Ended::Refused { status, code, .. } => panic!("refused with {status} {code}"),
            };
            if Instant::now() > deadline {
                self.gave_up.fetch_add(1, Ordering::Relaxed);
                return;
            }
            sleep(wait.unwrap_or(Duration::from_secs(1))).await;
        }
    }
}
