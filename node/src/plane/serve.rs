//! One thread: accepts, serves, settles what callers leave behind, and ends when it is told to.

use super::core::{Core, Node};
use super::watch::{Patience, Seat as Chair, Watched, Watcher};
use super::{Shared, Stage};
use crate::metrics::slots::ThreadSlots;
use crate::request::open::Abandoned;
use crate::request::relay::{Cut, NodeBody};
use crate::request::trail::Ring;
use api::inference::ReplyBody;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBuf};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::TcpListener;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch as signal};
use tokio::task::{JoinSet, LocalSet};

/// Largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// What is read of a connection at once, in bytes.
const BUFFER_BYTES_MAX: usize = 256 << 10;
/// Most that is read of a connection that was refused, in bytes.
const LINGER_BYTES_MAX: usize = 1 << 20;
/// Longest it is read for.
const LINGER: Duration = Duration::from_secs(2);
/// Wait after a failed accept: out of file descriptors, most likely.
const ACCEPT_AGAIN: Duration = Duration::from_millis(20);

/// What a thread is given.
pub(super) struct Seat {
    pub(super) shared: Arc<Shared>,
    pub(super) slots: Arc<ThreadSlots>,
    pub(super) ring: Arc<Ring>,
    pub(super) stage: signal::Receiver<Stage>,
    /// Dropped when the thread ends.
    pub(super) alive: Arc<signal::Sender<()>>,
}

/// The thread.
pub(super) fn run(seat: Seat, listener: TcpListener) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .expect("the system grants an event queue at start-up");
    let local = LocalSet::new();
    local.block_on(&runtime, work(seat, listener));
}

async fn work(seat: Seat, listener: TcpListener) {
    let (abandon, mut abandoned) = mpsc::unbounded_channel();
    let Seat { shared, slots, ring, stage, alive } = seat;
    let settings = &shared.settings;
    let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    let watcher = Watcher::new(Patience {
        head_s: seconds(settings.head_within),
        idle_s: seconds(settings.idle_for),
        stalled_s: seconds(settings.stalled_for),
    });
    let core = Rc::new(Core::new(shared, slots, ring, abandon));
    let ticking = tokio::task::spawn_local({
        let watcher = Rc::clone(&watcher);
        async move { watcher.run().await }
    });
    let house = House { core: Rc::clone(&core), watcher, stage: stage.clone() };
    let mut serving = pin!(house.serve(listener));
    let mut readers = JoinSet::new();
    let settle = async {
        while let Some(left) = abandoned.recv().await {
            settle_left(left, &mut readers, &stage).await;
            while readers.try_join_next().is_some() {}
        }
    };
    tokio::select! {
        () = &mut serving => {}
        () = settle => {}
    }
    // The connections are gone; what they left behind is settled before the thread ends.
    ticking.abort();
    while let Ok(left) = abandoned.try_recv() {
        settle_left(left, &mut readers, &stage).await;
    }
    while readers.join_next().await.is_some() {}
    drop(core);
    drop(alive);
}

/// Settles what a caller left behind; a stream that is read to its end is read beside all else, until
/// everything is cut.
async fn settle_left(left: Abandoned, readers: &mut JoinSet<()>, stage: &signal::Receiver<Stage>) {
    if !left.reads_on() {
        return left.settle().await;
    }
    let mut stage = stage.clone();
    readers.spawn_local(left.settle_unless(async move {
        // An error is the same: nobody is there any more to let it go on.
        let _ = stage.wait_for(|stage| *stage == Stage::Cut).await;
    }));
}

/// Where connections are served.
struct House {
    core: Rc<Core>,
    watcher: Rc<Watcher>,
    stage: signal::Receiver<Stage>,
}

impl House {
    /// Accepts until told to stop, then waits for the connections there are.
    async fn serve(&self, listener: TcpListener) {
        // Each connection holds a clone; the receiver hears when the last one is gone.
        let (last, mut gone) = mpsc::channel::<Infallible>(1);
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => self.accept_all(&listener, &last).await,
            Err(error) => tracing::error!(%error, "a listener cannot be used"),
        }
        drop(last);
        // Nothing is ever sent.
        let _ = gone.recv().await;
    }

    async fn accept_all(
        &self,
        listener: &tokio::net::TcpListener,
        last: &mpsc::Sender<Infallible>,
    ) {
        let mut stage = self.stage.clone();
        let mut closing = pin!(stage.wait_for(|stage| *stage >= Stage::Closing));
        loop {
            tokio::select! {
                biased;
                _ = &mut closing => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.admit(stream, last),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_AGAIN).await;
                    }
                },
            }
        }
        // Those who knocked before the door closed are let in.
        while let Some(Ok((stream, _))) = listener.accept().now_or_never() {
            self.admit(stream, last);
        }
    }

    fn admit(&self, stream: TcpStream, last: &mpsc::Sender<Infallible>) {
        let core = Rc::clone(&self.core);
        let chair = self.watcher.seat();
        let (stage, last) = (self.stage.clone(), last.clone());
        tokio::task::spawn_local(async move {
            core.slots.connections_begun.add(1);
            connection(&core, stream, chair, stage).await;
            core.slots.connections_over.add(1);
            drop(last);
        });
    }
}

/// Serves one connection to its end.
async fn connection(
    core: &Rc<Core>,
    stream: TcpStream,
    chair: Rc<Chair>,
    mut stage: signal::Receiver<Stage>,
) {
    // Failing to set it costs speed only.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| answer(core, &chair, request));
    let io = Watched::new(stream, Rc::clone(&chair));
    let mut connection = http1::Builder::new()
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        .header_read_timeout(None)
        .serve_connection(io, service);
    let mut closing = false;
    loop {
        tokio::select! {
            outcome = &mut connection => {
                // A head that is none was answered; what its sender still sends would reset that.
                if outcome.is_err_and(|error| error.is_parse() || error.is_parse_too_large()) {
                    linger(connection.into_parts().io).await;
                }
                return;
            }
            () = chair.overdue() => return,
            changed = stage.wait_for(|stage| *stage > Stage::Open && (!closing || *stage == Stage::Cut)) => {
                match changed.map(|stage| *stage) {
                    Ok(Stage::Closing) => {
                        closing = true;
                        Pin::new(&mut connection).graceful_shutdown();
                    }
                    Ok(Stage::Open | Stage::Cut) | Err(_) => return,
                }
            }
        }
    }
}

/// Reads on for a while, so that the sender gets to read the answer before its connection is reset.
async fn linger(mut io: Watched) {
    let mut left = LINGER_BYTES_MAX;
    let mut buffer = [0; 8 << 10];
    let drain = async {
        loop {
            let mut piece = ReadBuf::new(&mut buffer);
            let read = poll_fn(|cx| Pin::new(&mut io).poll_read(cx, piece.unfilled())).await;
            let count = piece.filled().len();
            if read.is_err() || count == 0 || count > left {
                return;
            }
            left -= count;
        }
    };
    // Whether it ended or was given up makes no difference.
    let _ = tokio::time::timeout(LINGER, drain).await;
}

async fn answer(
    core: &Rc<Core>,
    chair: &Rc<Chair>,
    request: Request<Incoming>,
) -> Result<Response<Counted>, Infallible> {
    chair.busy();
    core.slots.requests_begun.add(1);
    let mut token = Token { core: Rc::clone(core), chair: Rc::clone(chair), stream: false };
    let response = api::inference::serve(&Node(Rc::clone(core)), request).await;
    if response.body().size_hint().exact().is_none() {
        token.stream = true;
        core.slots.streams_begun.add(1);
    }
    Ok(response.map(|body| Counted { body, _token: token }))
}

/// Says that a request is over, whichever way it ends.
struct Token {
    core: Rc<Core>,
    chair: Rc<Chair>,
    stream: bool,
}

impl Drop for Token {
    fn drop(&mut self) {
        self.chair.idle();
        self.core.slots.requests_over.add(1);
        if self.stream {
            self.core.slots.streams_over.add(1);
        }
    }
}

/// The body of an answer, counted until it is gone.
struct Counted {
    body: ReplyBody<NodeBody>,
    _token: Token,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
