//! `jepsen live`: a run of real processes under nemeses, for as long as one likes.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jepsen::cluster::Ground;
use jepsen::dice::Dice;
use jepsen::live::crowd::Pressure;
use jepsen::live::{self, Options, pace};

const HELP: &str = "jepsen live [--nodes N] [--seconds N | --minutes N] [--nemesis NAME,...] [--seed N]
            [--rate CALLS_PER_S] [--callers N] [--json FILE]
jepsen pace [--seconds N] [--rate CALLS_PER_S] [--callers N]

Strikes real processes while callers spend and operators write, and judges what the provider billed and what
operators were told. NAME is `all`, or the beginning of a name: kill, power, pause, partition, loss, clock,
space, churn, wipe, `kill leader`, ... From five minutes on strokes last up to a minute and overlap. Needs
root for all but kill and pause. BURSAR_BIN names the program to prove.

`pace` says how many calls a second the callers and the provider of a run manage by themselves.";

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// A run under nemeses.
    Live,
    /// The harness against itself.
    Pace,
}

fn main() -> ExitCode {
    match read(std::env::args().skip(1)).and_then(|options| start(options.as_ref())) {
        Ok(code) => code,
        Err(error) => {
            say(format!("FAILED: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Inside namespaces where there can be any, on loopback otherwise.
fn start(options: Option<&(What, Options)>) -> Result<ExitCode> {
    let (what, options) = match options {
        Some((what, options)) => (*what, options),
        None => {
            say(HELP.to_owned());
            return Ok(ExitCode::SUCCESS);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if what == What::Pace {
        let pressure = Pressure { callers: options.callers, per_s: options.per_s };
        say(runtime.block_on(pace::run(pressure, options.time, options.seed))?);
        return Ok(ExitCode::SUCCESS);
    }
    if Ground::here() == Ground::Loopback {
        match Ground::namespaces_can_be_made() {
            Ok(()) => {
                let ended = Ground::again_inside()?;
                return Ok(if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            Err(why) => say(format!("SKIPPED all that needs namespaces: {why}")),
        }
    }
    say(format!("seed {}: {:?}", options.seed, options.nemeses));
    runtime.block_on(live::run(options, say))?;
    Ok(ExitCode::SUCCESS)
}

/// `None`: help is asked for.
fn read(mut arguments: impl Iterator<Item = String>) -> Result<Option<(What, Options)>> {
    let what = match arguments.next().as_deref() {
        Some("live") => What::Live,
        Some("pace") => What::Pace,
        Some("help" | "--help" | "-h") | None => return Ok(None),
        Some(other) => bail!("{other:?} is no command\n{HELP}"),
    };
    let mut options = Options {
        nodes: 3,
        time: Duration::from_secs(60),
        nemeses: vec!["all".to_owned()],
        seed: 0,
        per_s: 400,
        callers: 48,
        json: None,
    };
    let mut seed = None;
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} needs a value"))?;
        let number = || value.parse::<u64>().with_context(|| format!("{name} {value}"));
        match name.as_str() {
            "--nodes" => options.nodes = usize::try_from(number()?)?,
            "--seconds" => options.time = Duration::from_secs(number()?),
            "--minutes" => options.time = Duration::from_secs(number()? * 60),
            "--nemesis" => options.nemeses = value.split(',').map(str::to_owned).collect(),
            "--seed" => seed = Some(number()?),
            "--rate" => options.per_s = number()?.max(1),
            "--callers" => options.callers = number()?.max(1),
            "--json" => options.json = Some(std::path::absolute(&value)?),
            _ => bail!("{name} is no option\n{HELP}"),
        }
    }
    options.seed = seed.unwrap_or_else(Dice::seed);
    Ok(Some((what, options)))
}

#[expect(clippy::print_stdout, reason = "it is what this program is for")]
fn say(text: String) {
    println!("{text}");
}
