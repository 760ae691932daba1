//! How fast the harness itself is: its callers against its provider, with nothing in between. A live run
//! cannot carry more, however fast the program is.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::time::sleep;

use super::asked::Ended;
use super::crowd::{Addresses, Crowd, Pressure};
use super::estate::{Estate, KEYS};
use super::shun::Shun;
use crate::dice::Dice;
use crate::history::History;
use crate::provider::{API_KEY, Charge, Provider};

/// Has callers ask the provider for so long.
///
/// # Errors
///
/// What the system says, or next to nobody was answered.
pub async fn run(pressure: Pressure, lasts: Duration, seed: u64) -> Result<String> {
    let history = Arc::new(History::default());
    let mut dice = Dice::of(seed);
    let provider =
        Provider::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), history.began(), KEYS)?;
    let estate = Estate::new(Charge { nano_usd: 1, tokens: 1, requests: 1 }, 1, &mut dice);
    let shun = Arc::new(Shun::new(1));
    shun.there_are(&[0]);
    let addresses = Addresses {
        secrets: vec![API_KEY.to_owned(); KEYS],
        doors: vec![provider.address],
        shun,
        next_id: Arc::default(),
    };
    let began = Instant::now();
    let at_work = Crowd::send_out(estate, addresses, history, pressure, &mut dice)?;
    sleep(lasts).await;
    let asked = at_work.come_home()?;
    let took = began.elapsed();
    let count = |ended: Ended| asked.iter().filter(|asked| asked.ended == ended).count();
    let (answered, lost) = (count(Ended::Answered), count(Ended::Lost));
    let mut times_ns: Vec<u64> = asked
        .iter()
        .filter(|asked| asked.well && asked.ended == Ended::Answered)
        .map(|asked| asked.ended_ns - asked.sent_ns)
        .collect();
    times_ns.sort_unstable();
    ensure!(!times_ns.is_empty(), "nobody was answered");
    let at = |percent: usize| times_ns[(times_ns.len() - 1) * percent / 100] as f64 / 1e6;
    Ok(format!(
        "  {} calls/s asked for, {:.0} made, {:.0} answered, {lost} lost; p50 {:.2} ms, p99 {:.2} ms",
        pressure.per_s,
        asked.len() as f64 / took.as_secs_f64(),
        answered as f64 / took.as_secs_f64(),
        at(50),
        at(99),
    ))
}
