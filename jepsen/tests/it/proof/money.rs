//! Providers never bill more than a budget holds, by their own count, while nodes are killed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jepsen::cluster::{Cluster, looks};
use jepsen::dice::Dice;
use jepsen::http::{Call, Lost};
use jepsen::money::Books;
use jepsen::nemesis::{self, Nemesis};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::storm;

const BUDGET: &str = "hard";
/// What is asked, always the same: 15 input tokens as the provider counts, and 32 output tokens.
const QUESTION: &str = "Tell me something of the usual length.";
/// What an answer costs at $1 and $4 for a million tokens, roughly, in nano-USD.
const COST_NANO_USD: i64 = 145_000;
/// More than one answer may cost at worst: what is left below that may serve nobody.
const WORST_NANO_USD: i64 = 7 * COST_NANO_USD;
/// What the budget pays for, roughly: more than is asked in the storm, so that the storm has all of it.
const AFFORDABLE: i64 = 6_000;
const CALLERS: usize = 12;
const STORM: Duration = Duration::from_secs(20);
/// Longest wait for the rest of the budget to be spent after the storm, on a machine that has much
/// else to do.
const SPENT_WITHIN: Duration = Duration::from_secs(60);
/// With too little left to grant and no answer for so long, the limit is reached.
const REFUSED_FOR: Duration = Duration::from_millis(1_500);
/// How long a caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
struct Callers {
    answered: AtomicUsize,
    refused_as_spent: AtomicUsize,
    refused_for_now: AtomicUsize,
    unsent: AtomicUsize,
    unknown: AtomicUsize,
    /// The storm is over: no more pauses between calls.
    hurry: AtomicBool,
    over: AtomicBool,
}

#[tokio::test]
async fn a_budget_is_never_overspent_while_nodes_are_killed() {
    let seed = Dice::seed();
    println!("money proof, seed {seed}");
    let mut dice = Dice::of(seed);
    let mut cluster = Cluster::start(3).await.unwrap();
    // Long enough for calls to be in flight when their node dies.
    cluster.behave(json!({"latency_ms": 20})).await.unwrap();
    let key = prepare(&cluster).await;
    let callers = Arc::new(Callers::default());
    let doors = cluster.doors();
    let tasks: Vec<_> = (0..CALLERS)
        .map(|nth| {
            let (door, dice) = (doors[nth % doors.len()].data, dice.split());
            tokio::spawn(Arc::clone(&callers).call_until_over(door, key.clone(), dice))
        })
        .collect();
    let killers: Vec<Nemesis> =
        nemesis::ALL.into_iter().filter(|nemesis| nemesis.name.starts_with("kill")).collect();
    let strokes = storm::rage(&mut cluster, &killers, &mut dice, STORM).await;
    cluster.heal().await.unwrap();
    let in_storm = judge(&cluster).await;
    println!("  after {} strokes: {in_storm:?}; {callers:?}", strokes.len());

    callers.hurry.store(true, Ordering::Relaxed);
    let spent = spend_the_rest(&cluster, &callers).await;
    callers.over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let (billed, books) = judge(&cluster).await;
    println!("  at the end: {billed} billed, {books:?}; {callers:?}");
    assert!(spent, "the limit was not reached within {SPENT_WITHIN:?}: {books:?}; {callers:?}");
    // With no node silent and nothing in flight, nobody is told to wait for what will not come.
    assert!(callers.refused_as_spent.load(Ordering::Relaxed) > 0, "{callers:?}");
    // A run in which nothing happened would prove nothing.
    assert!(callers.answered.load(Ordering::Relaxed) > 300, "{callers:?}");
    assert!(billed > 300 * COST_NANO_USD, "{billed}");
    the_judge_objects_to_these_books_spoilt(billed, books);
}

/// A key with a budget of its own.
async fn prepare(cluster: &Cluster) -> String {
    let limit = json!({"limit_nano_usd": AFFORDABLE * COST_NANO_USD});
    let put = Call::new("PUT", format!("/admin/v1/budgets/{BUDGET}")).body(limit);
    cluster.admin(0, put).await.unwrap();
    let key = json!({"name": BUDGET, "budgets": [BUDGET]});
    let told = cluster.admin(0, Call::new("POST", "/admin/v1/keys").body(key)).await.unwrap();
    told.body["key"].as_str().unwrap().to_owned()
}

/// Reads the provider's books, then the ledger's, and judges them.
async fn judge(cluster: &Cluster) -> (i64, Books) {
    let billed = cluster.billed_nano_usd().await.unwrap();
    let path = format!("/admin/v1/budgets/{BUDGET}?consistency=linearizable");
    let told = cluster.admin(0, Call::new("GET", path)).await.unwrap();
    let books = Books::read(&told.body).unwrap();
    books.judge(billed).unwrap();
    (billed, books)
}

/// Waits until every caller is refused for want of money, judging all the while; whether it came to that.
async fn spend_the_rest(cluster: &Cluster, callers: &Callers) -> bool {
    let deadline = Instant::now() + SPENT_WITHIN;
    let mut looks = looks();
    let (mut answered, mut since) = (0, Instant::now());
    while Instant::now() < deadline {
        looks.tick().await;
        let (_, books) = judge(cluster).await;
        let answered_now = callers.answered.load(Ordering::Relaxed);
        if answered_now != answered || books.remaining >= WORST_NANO_USD {
            (answered, since) = (answered_now, Instant::now());
        }
        if since.elapsed() > REFUSED_FOR {
            return true;
        }
    }
    false
}

/// The very judge and the very books: with one figure wrong it must object.
fn the_judge_objects_to_these_books_spoilt(billed: i64, books: Books) {
    assert!(books.judge(books.limit + 1).is_err());
    let accounted = books.spent + books.held + books.suspense;
    assert!(books.judge(accounted + 1).is_err());
    // As if the grants of dead nodes had been given out again.
    let short = accounted - billed + 1;
    let given_twice =
        Books { spent: books.spent - short, remaining: books.remaining + short, ..books };
    assert!(given_twice.judge(billed).is_err());
}

impl Callers {
    async fn call_until_over(self: Arc<Callers>, door: SocketAddr, key: String, mut dice: Dice) {
        let body = json!({"model": "chat", "max_tokens": 32,
            "messages": [{"role": "user", "content": QUESTION}]});
        let call = Call::new("POST", "/v1/chat/completions").bearer(&key).body(body);
        while !self.over.load(Ordering::Relaxed) {
            let refused = self.call(&call, door).await;
            let hurry = self.hurry.load(Ordering::Relaxed);
            if refused || !hurry {
                sleep(Duration::from_millis(dice.within(20, 80))).await;
            }
        }
    }

    /// Calls once; whether it was refused.
    async fn call(&self, call: &Call, door: SocketAddr) -> bool {
        let (count, refused) = match call.send(door, PATIENCE).await {
            Ok(told) => match told.status {
                200 => (&self.answered, false),
                402 => (&self.refused_as_spent, true),
                429 | 503 => (&self.refused_for_now, true),
                status => panic!("answered {status}: {}", told.body),
            },
            Err(Lost::Unsent(_)) => (&self.unsent, true),
            Err(Lost::Unknown(_)) => (&self.unknown, true),
        };
        count.fetch_add(1, Ordering::Relaxed);
        refused
    }
}
