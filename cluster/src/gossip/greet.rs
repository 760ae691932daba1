//! Seeds are greeted by us: the library would look names up once a minute only.

use super::Heard;
use crate::discovery::{self, Seed};
use chitchat::ChitchatHandle;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// How often a seed that is not live is looked up and greeted.
const GREET_EVERY: Duration = Duration::from_millis(1_000);
/// How often seeds are greeted when all of them are live.
const GREET_LIVE_EVERY: Duration = Duration::from_secs(30);

/// Greets each seed until it is live, then now and then: a seed may come back at another address.
pub(super) async fn greet(
    handle: Arc<ChitchatHandle>,
    seeds: Vec<Seed>,
    own: SocketAddr,
    ears: watch::Receiver<Arc<Vec<Heard>>>,
) {
    loop {
        let found = discovery::resolve(&seeds).await;
        let live: HashSet<SocketAddr> =
            ears.borrow().iter().filter(|peer| peer.live).map(|peer| peer.gossip_addr).collect();
        let mut strangers = found.into_iter().filter(|address| *address != own).peekable();
        // Where only this node is found, the others' names have not appeared yet.
        let mut all_live = strangers.peek().is_some();
        for address in strangers.filter(|address| address.is_ipv4() == own.is_ipv4()) {
            all_live &= live.contains(&address);
            if handle.gossip(address).is_err() {
                return;
            }
        }
        let pause = if all_live { GREET_LIVE_EVERY } else { GREET_EVERY };
        sleep(pause).await;
    }
}
