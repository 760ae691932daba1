//! chitchat's datagrams, sealed.
//!
//! The library keeps its codec to itself, so its own UDP socket serves as the codec: bound to
//! loopback, it is handed each message to encode and the bytes are caught by a relay socket beside
//! it; what arrives goes the other way. Only sealed bytes ever pass the real socket.

use crate::seal::{ReplayGuard, Sealer};
use async_trait::async_trait;
use chitchat::ChitchatEnvelope;
use chitchat::transport::{RecvOutcome, SendOutcome, Socket, Transport};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, warn};

/// Largest UDP payload over IPv4, in bytes.
const DATAGRAM_MAX: usize = 65_507;
/// Largest part of a message in one datagram, in bytes; longer ones go in two.
const PART_MAX: usize = 60_000;
/// A datagram to oneself over loopback that takes longer was dropped by the kernel.
const LOOPBACK_PATIENCE: Duration = Duration::from_millis(100);
/// First halves kept while their second is on its way.
const HALVES_MAX: usize = 16;

const WHOLE: u8 = 0;
const FIRST: u8 = 1;
const SECOND: u8 = 2;

/// Opens one sealed socket.
pub(super) struct SealedTransport {
    /// The real socket, until the library opens it.
    bound: Mutex<Option<UdpSocket>>,
    local: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    sealer: Sealer,
    aad: Vec<u8>,
    guard: ReplayGuard,
    refused: AtomicU64,
}

impl SealedTransport {
    /// Binds the real socket. The cluster's name is authenticated with each datagram.
    pub(super) async fn bind(
        listen: SocketAddr,
        sealer: Sealer,
        cluster_name: &str,
    ) -> io::Result<SealedTransport> {
        let socket = UdpSocket::bind(listen).await?;
        Ok(SealedTransport {
            local: socket.local_addr()?,
            bound: Mutex::new(Some(socket)),
            shared: Arc::new(Shared {
                sealer,
                aad: cluster_name.as_bytes().to_vec(),
                guard: ReplayGuard::default(),
                refused: AtomicU64::new(0),
            }),
        })
    }

    pub(super) fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub(super) fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Transport for SealedTransport {
    async fn open(&self, _listen: SocketAddr) -> anyhow::Result<Box<dyn Socket>> {
        let bound = self.bound.lock().expect("no panic under this lock").take();
        let real = bound.ok_or_else(|| anyhow::anyhow!("the gossip socket is open already"))?;
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let relay = UdpSocket::bind(loopback).await?;
        let codec = chitchat::transport::UdpSocket::open(loopback).await?;
        Ok(Box::new(SealedSocket {
            relay_addr: relay.local_addr()?,
            codec_addr: codec.local_addr()?,
            real,
            relay,
            codec,
            shared: Arc::clone(&self.shared),
            buffer: vec![0; DATAGRAM_MAX],
            decoding: None,
            halves: Vec::new(),
            sent: 0,
        }))
    }
}

struct SealedSocket {
    real: UdpSocket,
    relay: UdpSocket,
    relay_addr: SocketAddr,
    codec: chitchat::transport::UdpSocket,
    codec_addr: SocketAddr,
    shared: Arc<Shared>,
    buffer: Vec<u8>,
    /// Who sent the message that is in the codec now, and until when to wait for it: `recv` may be
    /// dropped at any await, and is at each round of gossip.
    decoding: Option<(SocketAddr, Instant)>,
    halves: Vec<(SocketAddr, u32, Vec<u8>)>,
    /// Numbers the messages that go in two parts.
    sent: u32,
}

#[async_trait]
impl Socket for SealedSocket {
    fn local_addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.real.local_addr()?)
    }

    async fn send(
        &mut self,
        to: SocketAddr,
        envelope: ChitchatEnvelope,
    ) -> anyhow::Result<SendOutcome> {
        let plain = self.encode(envelope).await?;
        let mut num_bytes_sent = 0;
        for part in self.parts(&plain) {
            let sealed = self.shared.sealer.seal(&self.shared.aad, &part);
            num_bytes_sent += self.real.send_to(&sealed, to).await?;
        }
        Ok(SendOutcome { num_bytes_sent })
    }

    async fn recv(&mut self) -> anyhow::Result<RecvOutcome> {
        loop {
            if let Some((from_addr, deadline)) = self.decoding {
                let decoded = self.decoded(from_addr, deadline).await?;
                self.decoding = None;
                if let Some(outcome) = decoded {
                    return Ok(outcome);
                }
            }
            let Some((plain, from)) = self.hear().await else {
                continue;
            };
            if self.relay.send_to(&plain, self.codec_addr).await.is_ok() {
                self.decoding = Some((from, Instant::now() + LOOPBACK_PATIENCE));
            }
        }
    }
}

impl SealedSocket {
    /// The bytes of a message, caught behind the codec.
    async fn encode(&mut self, envelope: ChitchatEnvelope) -> anyhow::Result<Vec<u8>> {
        self.codec.send(self.relay_addr, envelope).await?;
        let mut plain = vec![0; DATAGRAM_MAX];
        loop {
            let caught = timeout(LOOPBACK_PATIENCE, self.relay.recv_from(&mut plain)).await;
            let (length, from) = caught??;
            // Another process of this host may write to the relay; its words are not ours.
            if from == self.codec_addr {
                plain.truncate(length);
                return Ok(plain);
            }
        }
    }

    /// The message in the codec; `None` where it is none or was dropped.
    async fn decoded(
        &mut self,
        from_addr: SocketAddr,
        deadline: Instant,
    ) -> anyhow::Result<Option<RecvOutcome>> {
        loop {
            match timeout_at(deadline, self.codec.recv()).await {
                Ok(Ok(outcome)) if outcome.from_addr == self.relay_addr => {
                    return Ok(Some(RecvOutcome { from_addr, ..outcome }));
                }
                Ok(Ok(_foreign)) => {}
                Ok(Err(error)) => return Err(error),
                Err(_elapsed) => return Ok(None),
            }
        }
    }

    /// The next datagram of this cluster, opened and whole.
    async fn hear(&mut self) -> Option<(Vec<u8>, SocketAddr)> {
        let (length, from) = match self.real.recv_from(&mut self.buffer).await {
            Ok(heard) => heard,
            Err(error) => {
                warn!(%error, "gossip socket failed to receive, trying on");
                tokio::time::sleep(LOOPBACK_PATIENCE).await;
                return None;
            }
        };
        let shared = &self.shared;
        let sealed = &self.buffer[..length];
        match shared.sealer.open_once(&shared.aad, sealed, &shared.guard) {
            Ok(part) => self.join(part, from).map(|plain| (plain, from)),
            Err(error) => {
                let refused = shared.refused.fetch_add(1, Ordering::Relaxed) + 1;
                if refused.is_power_of_two() {
                    warn!(%from, %error, refused, "gossip datagram refused");
                } else {
                    debug!(%from, %error, "gossip datagram refused");
                }
                None
            }
        }
    }

    /// A message as the plain texts of one or two datagrams: kind, number, bytes.
    fn parts(&mut self, plain: &[u8]) -> Vec<Vec<u8>> {
        self.sent = self.sent.wrapping_add(1);
        let part = |kind: u8, bytes: &[u8]| {
            let mut part = Vec::with_capacity(5 + bytes.len());
            part.push(kind);
            part.extend_from_slice(&self.sent.to_le_bytes());
            part.extend_from_slice(bytes);
            part
        };
        if plain.len() <= PART_MAX {
            return vec![part(WHOLE, plain)];
        }
        let (first, second) = plain.split_at(PART_MAX);
        vec![part(FIRST, first), part(SECOND, second)]
    }

    /// Puts two halves together; order between them is as the network likes it.
    fn join(&mut self, part: Vec<u8>, from: SocketAddr) -> Option<Vec<u8>> {
        let (head, bytes) = part.split_at_checked(5)?;
        let number = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        let kind = head[0];
        if kind == WHOLE {
            return Some(bytes.to_vec());
        }
        let waiting = self
            .halves
            .iter()
            .position(|(who, which, half)| (*who, *which) == (from, number) && half[0] != kind);
        let Some(at) = waiting else {
            if self.halves.len() >= HALVES_MAX {
                self.halves.remove(0);
            }
            self.halves.push((from, number, part));
            return None;
        };
        let (_, _, other) = self.halves.remove(at);
        let (first, second) =
            if kind == FIRST { (bytes, &other[5..]) } else { (&other[5..], bytes) };
        Some([first, second].concat())
    }
}
