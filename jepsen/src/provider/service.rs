//! From a request to an answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request as HttpRequest, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::answer::{Answer, Cut, Never, chunk, end, plain};
use super::ask::{Request, Trouble};
use super::{API_KEY, Books};

/// Tokens of one chunk of a stream.
const CHUNK_TOKENS: i64 = 4;

/// Accepts connections for ever.
pub(super) async fn serve(listener: TcpListener, books: Arc<Books>) {
    loop {
        // Out of descriptors, or a caller gone before it was accepted: the next one may do better.
        let Ok((socket, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        drop(socket.set_nodelay(true));
        let books = Arc::clone(&books);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let books = Arc::clone(&books);
                async move { Ok::<_, Never>(answer(request, &books).await) }
            });
            // An error here is a caller who hung up, or an answer cut on purpose.
            drop(http1::Builder::new().serve_connection(TokioIo::new(socket), service).await);
        });
    }
}

async fn answer(request: HttpRequest<Incoming>, books: &Arc<Books>) -> Response<Answer> {
    let bearer = request.headers().get(AUTHORIZATION).map(|value| value.as_bytes().to_vec());
    let known = bearer == Some(format!("Bearer {API_KEY}").into_bytes());
    let Ok(body) = request.into_body().collect().await else {
        return refusal(400, "the body broke off");
    };
    if !known {
        return refusal(401, "not the key of this provider");
    }
    let request = match Request::read(&body.to_bytes()) {
        Ok(request) => request,
        Err(error) => return refusal(400, &error.to_string()),
    };
    if let Trouble::Refuse(status) = request.ask.trouble {
        return refusal(status, "refused on request");
    }
    let bill = books.accept(request.ask.id, request.ask.key, request.input_tokens);
    if request.stream {
        return streamed(request, Arc::clone(books), bill);
    }
    books.produced(bill, request.output_tokens);
    sleep(Duration::from_millis(request.ask.wait_ms)).await;
    let usage = request.ask.trouble != Trouble::NoUsage;
    let whole = plain(request.input_tokens, request.output_tokens, usage);
    match request.ask.trouble {
        Trouble::Cut => cut_in_half(whole.to_string()),
        Trouble::None | Trouble::NoUsage | Trouble::Refuse(_) => told(200, Answer::json(&whole)),
    }
}

fn cut_in_half(text: String) -> Response<Answer> {
    let (send, pieces) = mpsc::channel(2);
    // There is room for both.
    drop(send.try_send(Ok(Bytes::from(text).slice(..20))));
    drop(send.try_send(Err(Cut)));
    told(200, Answer::Pieces(pieces))
}

fn streamed(request: Request, books: Arc<Books>, bill: usize) -> Response<Answer> {
    // Nothing is produced ahead of what is read but for what the sockets take.
    let (send, pieces) = mpsc::channel(1);
    tokio::spawn(async move {
        sleep(Duration::from_millis(request.ask.wait_ms)).await;
        let mut left = request.output_tokens;
        while left > 0 {
            let Ok(place) = send.reserve().await else { return };
            let tokens = left.min(CHUNK_TOKENS);
            books.produced(bill, tokens);
            place.send(Ok(chunk(tokens)));
            left -= tokens;
            if request.ask.trouble == Trouble::Cut && left < request.output_tokens / 2 {
                drop(send.send(Err(Cut)).await);
                return;
            }
            if request.ask.pace_ms > 0 {
                sleep(Duration::from_millis(request.ask.pace_ms)).await;
            }
        }
        let usage = request.ask.trouble != Trouble::NoUsage;
        drop(send.send(Ok(end(request.input_tokens, request.output_tokens, usage))).await);
    });
    let mut response = told(200, Answer::Pieces(pieces));
    let stream = "text/event-stream".parse().expect("a header's value");
    response.headers_mut().insert(CONTENT_TYPE, stream);
    response
}

fn refusal(status: u16, say: &str) -> Response<Answer> {
    let error = json!({"error": {"message": say, "type": "server_error", "code": null}});
    told(status, Answer::json(&error))
}

fn told(status: u16, body: Answer) -> Response<Answer> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    response.body(body).expect("a status and a header that are valid")
}
