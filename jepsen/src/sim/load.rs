//! The callers, and what a node does for each of them: hold, ask, count, settle.

use super::answer::{Outcome, Reading};
use super::broken::Break;
use super::judge::{self, Exposure, Place};
use super::node::{Fate, Node};
use super::provider::{self, Attempt, Ending, Model, Tells};
use super::scene::hash_of;
use crate::dice::Dice;
use cluster::allowance::{Charge, Hold, Path, PurseTerms, Short};
use cost::Bill;
use ledger::command::OpenInstance;
use ledger::view::{AccountTerms, Asked, Missing, PathTerms, admissible, key_by_hash, path_of};
use ledger::{Command, UsageKey};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::time::sleep;

/// How long a request waits for money, as in the product.
const HOLD_WITHIN: Duration = Duration::from_millis(250);
/// Attempts of one request.
const ATTEMPTS_MAX: u32 = 2;
/// The mistakes in settling happen to so many of a hundred.
const MISTAKES: usize = 10;

/// Names of sessions that callers use.
const SESSIONS: usize = 3;
/// How often a request has what it is charged to opened before it gives up.
const OPENINGS_MAX: u32 = 4;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    /// The number of the key.
    pub(crate) key: u8,
    /// The number of the session it names.
    pub(crate) session: Option<usize>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The key may not be used.
    Unknown,
    /// There was no money.
    Short(Short),
    /// It was settled.
    Settled,
}

/// Takes requests for as long as the world is busy.
pub(crate) async fn take_requests(node: Arc<Node>) {
    let world = Arc::clone(&node.world);
    loop {
        sleep(world.span(1, world.scene.pause_max_ms)).await;
        if !world.is_busy.load(SeqCst) {
            continue;
        }
        let keys = world.scene.keys.len();
        let (who, attempts) = world.draw(|dice| {
            let beyond = world.scene.beyond;
            let key = u8::try_from(dice.below(keys) + 1).unwrap_or(u8::MAX);
            let session = dice.chance(80).then(|| dice.below(SESSIONS));
            let attempts = [(); ATTEMPTS_MAX as usize].map(|()| draw(dice, beyond));
            (Who { key, session }, attempts)
        });
        let serving = Arc::clone(&node);
        node.life.spawn(async move { serve(&serving, who, &attempts).await });
    }
}

/// Draws how an attempt goes.
fn draw(dice: &mut Dice, beyond: usize) -> Attempt {
    let pieces_max = dice.within(1, 40);
    let pieces = dice.within(1, pieces_max);
    let ending = match dice.below(100) {
        roll if roll < beyond => Ending::Beyond,
        0..55 => Ending::Answered,
        55..57 => Ending::NeverSent,
        57..65 => Ending::Refused,
        65..71 => Ending::Lost,
        71..74 => Ending::OnlyBegun,
        74..87 => Ending::CallerLeaves(dice.within(0, 60)),
        87..93 => Ending::BreaksOff,
        93..96 => Ending::StopsShort,
        _ => Ending::Fails,
    };
    let tells = match dice.below(10) {
        _ if ending == Ending::Beyond => Tells::AtLast,
        0..2 => Tells::Never,
        2..7 => Tells::AtLast,
        _ => Tells::InEach,
    };
    let input_tokens = dice.within(1, 300);
    Attempt {
        model: if dice.chance(20) { Model::Thinking } else { Model::Plain },
        input_tokens,
        input_tokens_max: input_tokens + dice.within(0, 40),
        pieces_max,
        pieces,
        first_ms: dice.within(1, 400),
        piece_ms: if dice.chance(20) { dice.within(20, 200) } else { dice.within(1, 10) },
        ending,
        tells,
        token_bytes: 1 + dice.below(4),
        is_cut: dice.chance(30),
        drains: dice.chance(50),
    }
}

/// Serves one request.
pub(crate) async fn serve(node: &Arc<Node>, who: Who, attempts: &[Attempt]) -> Ended {
    let mut ended = Ended::Unknown;
    for attempt in attempts {
        node.in_flight.fetch_add(1, SeqCst);
        let Some(way) = open_path(node, who).await else {
            node.in_flight.fetch_sub(1, SeqCst);
            return ended;
        };
        let tried = try_once(node, &way, *attempt).await;
        node.in_flight.fetch_sub(1, SeqCst);
        let (end, again) = tried;
        ended = end;
        if !again {
            break;
        }
    }
    ended
}

/// Who asks, may they, and what is it charged to: all of it as this node knows it. Sessions that are not
/// open yet are opened first.
async fn open_path(node: &Arc<Node>, who: Who) -> Option<Way> {
    for _ in 0..OPENINGS_MAX {
        let terms = terms_of(node, who)?;
        if terms.missing.is_empty() {
            return Some(way(node, who, &terms.accounts));
        }
        for missing in terms.missing {
            let Missing { budget, subject } = missing;
            let open = OpenInstance { budget, subject, periods: Vec::new() };
            node.world.note("open", [node.id, u64::from(who.key), 0]);
            match node.propose(Command::OpenInstance(open)).await {
                Fate::Applied(applied) if applied.outcome == Some(ledger::Outcome::Done) => {}
                Fate::Applied(_) | Fate::NotApplied | Fate::Unknown => return None,
            }
        }
    }
    None
}

/// What a request is charged to; `None` where the key may not be used.
pub(crate) fn terms_of(node: &Node, who: Who) -> Option<PathTerms> {
    let ledger = node.ledger();
    let known = key_by_hash(&ledger, &hash_of(who.key))?;
    admissible(known, node.world.clock(node.id)).ok()?;
    let allowed = node.world.judge.may_use(who.key, ledger.applied_index);
    node.world.must("a revoked key stops", allowed);
    let session = who.session.map(|number| format!("run-{number}"));
    Some(path_of(&ledger, known, &Asked { session: session.as_deref(), ..Asked::default() }))
}

/// What a request is charged to.
struct Way {
    path: Arc<Path>,
    places: Vec<Place>,
    /// Whether what is charged may not be less than what is billed.
    hard: bool,
}

fn way(node: &Node, who: Who, terms: &[AccountTerms]) -> Way {
    let purse = |terms: &AccountTerms| {
        node.seen.allowances.purse(&PurseTerms {
            account: terms.account,
            period: terms.period,
            unit: terms.unit,
            mode: terms.mode,
            limit: terms.limit,
            ends_at: terms.ends_at,
            without_quorum: terms.without_quorum,
        })
    };
    let place = |terms: &AccountTerms| Place {
        account: terms.account,
        period: terms.period,
        unit: terms.unit,
    };
    let row = UsageKey { key: format!("id{}", who.key), ..UsageKey::default() };
    let path = node.seen.allowances.path(terms.iter().map(purse).collect(), row);
    Way { path, places: terms.iter().map(place).collect(), hard: terms.iter().any(cost::is_hard) }
}

/// One attempt, and whether another is worth it.
async fn try_once(
    node: &Arc<Node>,
    Way { path, places, hard }: &Way,
    attempt: Attempt,
) -> (Ended, bool) {
    let now = node.world.clock(node.id);
    let held = node.seen.allowances.hold(path, &attempt.worst(), now, HOLD_WITHIN).await;
    let hold = match held {
        Ok(hold) => hold,
        Err(short) => {
            node.world.note("short", [node.id, short.account.budget, short.why as u64]);
            return (Ended::Short(short), false);
        }
    };
    let first = places.first().map_or(0, |place| place.account.budget);
    node.world.note("held", [node.id, first, attempt.pieces_max]);
    check(node, path);
    let exposure = Exposure::new(node.life_id(), places, attempt.worst());
    node.world.must("the budget holds", node.world.judge.money.held(&exposure));
    // A node may die between the hold and the first byte to the provider.
    sleep(Duration::from_millis(1)).await;
    let reading = Reading {
        attempt: &attempt,
        hard: *hard,
        believes: node.world.is_broken(Break::SettledAsTold),
    };
    let outcome = match attempt.ending {
        Ending::NeverSent => {
            let unbilled = node.world.judge.money.billed(&exposure, &Charge::ZERO);
            node.world.must("the budget holds", unbilled);
            reading.never_sent()
        }
        _ => reading.read(provider::send(&node.world, &node.life, &exposure, attempt)).await,
    };
    node.world.judge.money.settled(&exposure, &outcome.charge);
    node.world.note("settled", [node.id, first, outcome.charge.nano_usd as u64]);
    settle(node, path, hold, &outcome);
    check(node, path);
    (Ended::Settled, outcome.again)
}

/// As the program does: nothing of what did not begin, and the rest with its row of usage.
fn settle(node: &Node, path: &Arc<Path>, hold: Hold, outcome: &Outcome) {
    let world = &node.world;
    let mistaken = |how| world.is_broken(how) && world.draw(|dice| dice.chance(MISTAKES));
    if outcome.bill == Bill::Void || mistaken(Break::SettlementLost) {
        hold.void();
        return;
    }
    let Outcome { charge, usage, .. } = outcome;
    let sums = cost::usage_sums(charge, usage);
    hold.settle(charge, &sums);
    if mistaken(Break::SettledTwice)
        && let Ok(again) = node.seen.allowances.try_hold(path, charge, world.clock(node.id))
    {
        again.settle(charge, &sums);
    }
}

/// No purse on the path has more than it was granted.
pub(crate) fn check(node: &Node, path: &Arc<Path>) {
    let ledger = node.ledger();
    for purse in path.purses() {
        let found = judge::within_grant(&purse.books(), node.life_id(), &ledger);
        node.world.must("a node holds what it was granted", found);
    }
}
