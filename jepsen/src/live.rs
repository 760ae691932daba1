//! Live runs: real processes, each in a network and on a disk of its own, struck by nemeses while callers
//! spend and operators write. Money is judged by the provider's own count, operators' writes by whether
//! any order explains what clients were told.

pub mod asked;
mod caller;
pub mod crowd;
mod equal;
pub mod estate;
mod finish;
pub mod judge;
pub mod measure;
pub mod pace;
pub mod prepare;
pub mod registers;
pub mod report;
pub mod shun;
pub mod strikes;
pub mod watch;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::{Instant, sleep};

use crate::cluster::{Build, Cluster, Ground, faketime_library, looks};
use crate::dice::Dice;
use crate::history::History;
use crate::nemesis::{self, Needs, Nemesis};
use crate::provider::Provider;
use crowd::{Crowd, Pressure};
use estate::{Estate, KEYS};
use finish::Finish;
use registers::Registers;
use strikes::Rage;
use watch::Watch;

/// Clients that write and read as operators.
const OPERATORS: usize = 10;
/// How long callers go on after the last stroke, with nothing wrong any more.
const CALM: Duration = Duration::from_secs(3);
/// By when every node must have answered some of them then.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// Calls that count as some: more than were under way when it became calm.
const SOME_CALLS: u64 = 5;
/// How long a short stroke takes with all that belongs to it, roughly.
const STROKE: Duration = Duration::from_secs(6);
/// Strokes may take a minute and overlap in runs of at least this length.
const LONG_RUN: Duration = Duration::from_secs(300);

/// Set where the files of a run that went well are wanted, too.
const KEEP: &str = "JEPSEN_KEEP";

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Nodes that found the cluster.
    pub nodes: usize,
    /// How long nemeses strike, at least; each strikes once in any case.
    pub time: Duration,
    /// Names, or beginnings of names, of the nemeses to be sent; `all` of them.
    pub nemeses: Vec<String>,
    /// What the dice are made of.
    pub seed: u64,
    /// Calls a second.
    pub per_s: u64,
    /// Callers at once.
    pub callers: u64,
    /// Where to write a line of JSON for each row of the report.
    pub json: Option<PathBuf>,
}

impl Options {
    /// The nemeses that are asked for and can strike here. What cannot is said.
    ///
    /// # Errors
    ///
    /// A name that is none.
    pub fn choose(&self, say: impl Fn(String)) -> Result<Vec<Nemesis>> {
        let mut chosen = Vec::new();
        for asked in &self.nemeses {
            let named =
                |nemesis: &&Nemesis| asked == "all" || nemesis.name.starts_with(asked.as_str());
            let some: Vec<Nemesis> = nemesis::ALL.iter().filter(named).copied().collect();
            ensure!(!some.is_empty(), "there is no nemesis {asked:?}");
            chosen.extend(some);
        }
        let can = |nemesis: &Nemesis| match nemesis.needs {
            Needs::Nothing => Ok(()),
            Needs::Namespaces if Ground::here() == Ground::Namespaces => Ok(()),
            Needs::Clocks if Ground::here() == Ground::Namespaces => {
                faketime_library().map(drop).ok_or("there is no libfaketime")
            }
            Needs::Namespaces | Needs::Clocks => Err("there are no namespaces"),
        };
        chosen.retain(|nemesis| match can(nemesis) {
            Ok(()) => true,
            Err(why) => {
                say(format!("SKIPPED {}, nothing is proved about it: {why}", nemesis.name));
                false
            }
        });
        Ok(chosen)
    }
}

/// Runs, prints how it went, and fails where a promise was broken or too little happened.
///
/// # Errors
///
/// What was broken, or kept the run from proving anything.
pub async fn run(options: &Options, say: impl Fn(String)) -> Result<()> {
    let nemeses = options.choose(&say)?;
    if nemeses.is_empty() {
        say("SKIPPED: no nemesis can strike here, nothing is proved".to_owned());
        return Ok(());
    }
    let mut dice = Dice::of(options.seed);
    let joins = nemeses.iter().any(|nemesis| nemesis.family() == "churn");
    let build = Build {
        founders: options.nodes,
        spares: usize::from(joins),
        clocks: nemeses.iter().any(|nemesis| nemesis.needs == Needs::Clocks),
    };
    let history = Arc::new(History::default());
    let listen = SocketAddr::from((Ground::here().own_address(), 4010));
    let mut cluster = Cluster::start(build).await?;
    let provider = Provider::start(listen, history.began(), KEYS)?;
    let ended =
        rage(options, (&mut cluster, &provider), &history, (&nemeses, &mut dice), &say).await;
    if ended.is_err() || std::env::var_os(KEEP).is_some() {
        cluster.keep_files();
        say(format!("logs and histories are in {}", cluster.root().display()));
    }
    ended
}

async fn rage(
    options: &Options,
    (cluster, provider): (&mut Cluster, &Provider),
    history: &Arc<History>,
    (nemeses, dice): (&[Nemesis], &mut Dice),
    say: &impl Fn(String),
) -> Result<()> {
    prepare::provider(cluster, provider).await?;
    let pressure = Pressure { callers: options.callers, per_s: options.per_s };
    let (per_s, mut addresses) = prepare::speed(cluster, provider, history, pressure, dice).await?;
    let strokes = STROKE * u32::try_from(nemeses.len()).unwrap_or(u32::MAX);
    let run_s = (options.time.max(strokes) + CALM).as_secs();
    let mut estate = Estate::new(per_s, run_s, dice);
    addresses.secrets.extend(prepare::keys(cluster, &mut estate, 1, history).await?);
    let (shun, next_id) = (Arc::clone(&addresses.shun), Arc::clone(&addresses.next_id));
    say(format!("  {} nodes carry {} calls/s with nothing wrong", options.nodes, per_s.requests));

    let at_work = Crowd::send_out(estate.clone(), addresses, Arc::clone(history), pressure, dice)?;
    let registers = Registers::of(cluster, Arc::clone(history), Arc::clone(&shun));
    let watch = {
        let (books, history) = (Arc::clone(&provider.books), Arc::clone(history));
        Watch::of(cluster, &estate, books, history, Arc::clone(&shun))
    };
    let mut tasks: Vec<_> = (0..OPERATORS)
        .map(|client| tokio::spawn(Arc::clone(&registers).client(client, dice.split())))
        .collect();
    tasks.push(tokio::spawn(Arc::clone(&watch).read_until_over(dice.split())));
    let mut rage = Rage {
        cluster,
        of: nemeses,
        shun,
        history: Arc::clone(history),
        long: options.time >= LONG_RUN,
        slow: Vec::new(),
    };
    let strokes = rage.until(Instant::now() + options.time, dice).await;
    let slow = rage.slow;
    let calm = match &strokes {
        Ok(_) => every_node_answers(&rage.cluster.members(), &at_work.crowd).await,
        Err(_) => Ok(()),
    };
    let end_ns = history.now_ns();
    registers.stop();
    watch.stop();
    let asked = at_work.come_home()?;
    for task in tasks {
        task.await.context("an operator or a reader panicked")?;
    }
    let finish = Finish {
        options,
        cluster,
        estate,
        asked,
        bills: provider.books.bills(),
        calls_begun: next_id.load(std::sync::atomic::Ordering::Relaxed),
        end_ns,
        strokes: strokes?,
        slow,
        registers,
        watch,
    };
    finish.judge(say).await?;
    calm
}

/// With nothing wrong any more every node serves.
async fn every_node_answers(members: &[usize], crowd: &Crowd) -> Result<()> {
    let before = crowd.answered();
    sleep(CALM).await;
    let deadline = Instant::now() + ANSWERED_WITHIN;
    let mut looks = looks();
    for node in members {
        while crowd.answered()[*node] < before[*node] + SOME_CALLS {
            looks.tick().await;
            ensure!(
                Instant::now() < deadline,
                "node {node} answered next to nobody though nothing was wrong any more"
            );
        }
    }
    Ok(())
}
