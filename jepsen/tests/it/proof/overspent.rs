//! The positive control of the judge of money on a live cluster: an operator gives up the money of a node
//! that only stood still, and it spends what others have spent again. Then a budget is overspent in
//! earnest, and both judges must say so.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use jepsen::cluster::{Act, Build, Cluster, Ground, looks};
use jepsen::history::History;
use jepsen::http::Call;
use jepsen::live::asked::{Asked, Ended};
use jepsen::live::estate::{Account, Estate, Key, Unit};
use jepsen::live::judge::Evidence;
use jepsen::live::prepare;
use jepsen::money::Books;
use jepsen::provider::{Ask, Provider, Trouble};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

const BUDGET: &str = "given-up";
/// Number of the key: the first is nobody's.
const KEY: usize = 1;
/// Some hundred calls.
const LIMIT_NANO_USD: i64 = 60_000_000;
/// Calls that teach a node how much it needs.
const FIRST_CALLS: u64 = 100;
/// Calls that wait at the door of the node that stands still.
const LATE_CALLS: u64 = 40;
/// Refusals in a row that say that nothing is left.
const REFUSED: usize = 5;
/// Looks in a row that show the same books: in that time a node reports and asks some six times.
const RESTED: usize = 5;
const PATIENCE: Duration = Duration::from_secs(30);

struct Caller {
    cluster: Cluster,
    history: History,
    secret: String,
    asked: HashMap<u64, Asked>,
}

#[tokio::test]
async fn money_given_up_under_a_node_that_stood_still_is_found_to_be_spent_twice() {
    let history = History::default();
    let build = Build { founders: 3, spares: 0, clocks: false };
    let cluster = Cluster::start(build).await.unwrap();
    let listen = SocketAddr::from((Ground::here().own_address(), 4010));
    let provider = Provider::start(listen, history.began(), KEY + 1).unwrap();
    prepare::provider(&cluster, &provider).await.unwrap();
    let mut estate = estate();
    let secrets = prepare::keys(&cluster, &mut estate, KEY, &history).await.unwrap();
    let secret = secrets[0].clone();
    let mut caller = Caller { cluster, history, secret, asked: HashMap::new() };

    let leader = caller.cluster.leader().await.expect("a leader of a healthy cluster");
    let (still, other) = ((leader + 1) % 3, leader);
    for id in 0..FIRST_CALLS {
        caller.call(id, still).await;
    }
    caller.rest(still).await;
    caller.cluster.act(&Act::Pause(still)).await.unwrap();
    caller.give_up(still, other).await;
    caller.spend_the_rest(other).await;
    caller.call_late(still).await;

    let bills = provider.books.bills();
    let billed: i64 = bills.iter().map(|bill| bill.charge.nano_usd).sum();
    println!("given up and spent twice: {billed} billed on a budget of {LIMIT_NANO_USD}");
    let evidence = Evidence { estate: &estate, bills: &bills, asked: caller.asked, slow: &[] };
    let breaches = evidence.breaches().unwrap();
    assert_eq!(breaches.len(), 1, "{billed} billed");
    assert_eq!(breaches[0].billed, billed);
    let path = format!("/admin/v1/budgets/{BUDGET}?consistency=linearizable");
    let told = caller.cluster.admin(other, Call::new("GET", path)).await.unwrap();
    assert!(Books::read(&told.body).unwrap().judge(billed).is_err(), "{}", told.body);
}

fn estate() -> Estate {
    let budget = BUDGET.to_owned();
    let account = Account {
        budget: budget.clone(),
        unit: Unit::NanoUsd,
        window_ms: None,
        limit: LIMIT_NANO_USD,
        made_ns: (0, 0),
    };
    let nobody = Key { name: "nobody".to_owned(), budgets: Vec::new(), weight: 0 };
    let key = Key { name: BUDGET.to_owned(), budgets: vec![budget], weight: 1 };
    Estate { accounts: vec![account], keys: vec![nobody, key] }
}

fn question(id: u64, secret: &str) -> Call {
    Call::new("POST", "/v1/chat/completions").bearer(secret).body(question_body(id))
}

fn question_body(id: u64) -> Value {
    let ask = Ask { id, key: KEY, tokens: 32, wait_ms: 0, pace_ms: 0, trouble: Trouble::None };
    json!({"model": "chat", "max_tokens": 32,
        "messages": [{"role": "user", "content": ask.to_string()}]})
}

impl Caller {
    /// Calls once; answers the status.
    async fn call(&mut self, id: u64, node: usize) -> u16 {
        self.note(id, node);
        let door = self.cluster.doors()[node].data;
        question(id, &self.secret).send(door, PATIENCE).await.unwrap().status
    }

    fn note(&mut self, id: u64, node: usize) {
        let sent_ns = self.history.now_ns();
        // How it ended is not asked here.
        let (ended_ns, ended, worst_nano_usd) = (sent_ns, Ended::Lost, 0);
        let asked =
            Asked { id, key: KEY, node, sent_ns, ended_ns, worst_nano_usd, well: true, ended };
        self.asked.insert(id, asked);
    }

    /// Waits until a node has applied all that it was granted: what it has no part in yet it could not spend.
    async fn rest(&self, node: usize) {
        let path = format!("/admin/v1/budgets/{BUDGET}?consistency=linearizable");
        let (mut looks, mut same, mut before) = (looks(), 0, None);
        let deadline = Instant::now() + PATIENCE;
        while same < RESTED {
            assert!(Instant::now() < deadline, "{before:?} still changes");
            looks.tick().await;
            let told = self.cluster.admin(node, Call::new("GET", path.clone())).await.unwrap();
            let books = Some(Books::read(&told.body).unwrap());
            same = if books == before { same + 1 } else { 0 };
            before = books;
        }
    }

    /// An operator takes the node for lost, and what it was granted for unspent.
    async fn give_up(&self, still: usize, other: usize) {
        let member = format!("/admin/v1/cluster/members/node-{}", still + 1);
        self.cluster.admin(other, Call::new("DELETE", member)).await.unwrap();
        let path = format!("/admin/v1/budgets/{BUDGET}:write-off");
        let write_off = Call::new("POST", path).body(json!({"reason": "the control"}));
        let told = self.cluster.admin(other, write_off).await.unwrap();
        assert_ne!(told.body["released"], json!([]), "nothing was given up: {}", told.body);
    }

    async fn spend_the_rest(&mut self, node: usize) {
        let mut refused = 0;
        for id in FIRST_CALLS.. {
            match self.call(id, node).await {
                402 | 429 => refused += 1,
                200 => refused = 0,
                status => panic!("answered {status}"),
            }
            if refused == REFUSED {
                return;
            }
        }
    }

    /// Calls wait at the door, all of them sent, before the node goes on: it accepts them before it can
    /// have heard that it is no member any more.
    async fn call_late(&mut self, still: usize) {
        let door = self.cluster.doors()[still].data;
        let first = self.asked.len() as u64;
        let mut waiting = Vec::new();
        for id in first..first + LATE_CALLS {
            self.note(id, still);
            waiting.push(sent(door, id, &self.secret).await);
        }
        self.cluster.act(&Act::Resume(still)).await.unwrap();
        for mut answer in waiting {
            // Whatever is told, the provider knows.
            let told = timeout(PATIENCE, answer.read_to_end(&mut Vec::new())).await;
            drop(told.expect("an end, if not an answer"));
        }
    }
}

/// A call whose bytes the kernel of the paused process has.
async fn sent(door: SocketAddr, id: u64, secret: &str) -> TcpStream {
    let body = question_body(id).to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {door}\r\nauthorization: Bearer {secret}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut socket = TcpStream::connect(door).await.unwrap();
    socket.write_all((head + &body).as_bytes()).await.unwrap();
    socket
}
