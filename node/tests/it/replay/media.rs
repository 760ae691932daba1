//! Every recorded picture, speech, transcription and moderation, replayed as the upstream of a real node.

use super::traffic::{self, Record};
use super::upstream::{Cuts, answer, read_body};
use crate::plane::node::{TestNode, USD};
use bytes::Bytes;
use ledger::{Class, Mode, Price, Rate, Unit, Unpriced};
use serde_json::Value;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use wire::dialect::openai_chat;
use wire::splice::{self, Edits, ModelName};
use wire::{Asked, Operation};

/// What is recorded, at which path it is asked, and what is asked for where the question was not kept.
const ASKED: [(&str, &str, Operation, &str); 9] = [
    ("moderations", "moderations", Operation::Moderations, r#"{"input":"x"}"#),
    ("images", "images/generations", Operation::Images, r#"{"prompt":"x"}"#),
    ("images_edit", "images/edits", Operation::ImageEdits, r#"{"prompt":"x"}"#),
    ("images_variation", "images/variations", Operation::ImageVariations, ""),
    ("speech", "audio/speech", Operation::Speech, ""),
    ("speech_stream", "audio/speech", Operation::Speech, ""),
    ("transcription", "audio/transcriptions", Operation::Transcriptions, ""),
    ("transcription_stream", "audio/transcriptions", Operation::Transcriptions, ""),
    ("translation", "audio/translations", Operation::Translations, ""),
];

/// Providers whose requests or paths are not OpenAI's.
const FOREIGN: [&str; 4] = ["elevenlabs", "deepgram", "openrouter", "cohere"];

/// A recording of a tenth of a second, for questions that were not kept.
fn sample() -> Vec<u8> {
    let head = "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--B\r\n\
                Content-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\n";
    [head.as_bytes(), &[0xff, 0xfb], &[0; 98], b"\r\n--B--\r\n"].concat()
}

/// The request of a record for the model that is named like it, the same as the provider is to see it,
/// and its content type.
fn question(record: &Record) -> Option<(Bytes, Vec<u8>, String)> {
    use base64::Engine as _;
    let (_, _, operation, sample_body) = asked(record);
    let text = || record.request_body.as_str().unwrap();
    let body = match record.request_body_encoding.as_str() {
        "json" => record.request_body.to_string().into_bytes(),
        "base64" => base64::engine::general_purpose::STANDARD.decode(text()).unwrap(),
        "text" => text().as_bytes().to_vec(),
        _ if !sample_body.is_empty() => sample_body.as_bytes().to_vec(),
        _ if operation == Operation::Transcriptions => sample(),
        _ => return None,
    };
    let kind = if body.starts_with(b"{") {
        "application/json".to_owned()
    } else {
        let end = body.windows(2).position(|pair| pair == b"\r\n").unwrap();
        format!("multipart/form-data; boundary=\"{}\"", String::from_utf8_lossy(&body[2..end]))
    };
    let asked = Asked { content_type: Some(&kind), ..Asked::of(operation) };
    let body = Bytes::from(body);
    // A server of one model may be asked for none.
    let call = openai_chat::read(&asked, &body).ok()?;
    let named = |model: &str| {
        let model = ModelName::new(model);
        splice::apply(&call, &Edits { model: Some(&model), ..Edits::default() }, &body).concat()
    };
    Some((Bytes::from(named(&format!("replay/{}", record.id))), named(&record.id), kind))
}

fn asked(record: &Record) -> (&'static str, &'static str, Operation, &'static str) {
    ASKED.into_iter().find(|(name, ..)| *name == record.operation).unwrap()
}

/// An upstream that finds the name of a record in whatever it is sent.
struct Upstream {
    addr: SocketAddr,
    seen: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl Upstream {
    async fn start(records: &[Record]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<HashMap<String, Vec<u8>>>>::default();
        let records: Arc<[Record]> = records.into();
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (records, noted) = (Arc::clone(&records), Arc::clone(&noted));
                tokio::spawn(async move {
                    // The gateway may hang up.
                    let _ = serve(&records, &noted, socket).await;
                });
            }
        });
        Self { addr, seen }
    }
}

async fn serve(
    records: &[Record],
    seen: &Mutex<HashMap<String, Vec<u8>>>,
    mut socket: TcpStream,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(body) = read_body(&mut socket, &mut buffer).await? {
        let holds = |record: &&Record| {
            body.windows(record.id.len()).any(|window| window == record.id.as_bytes())
        };
        let record = records.iter().find(holds).unwrap();
        let spoken = record.is_stream() || record.response_body_encoding == "base64";
        let cuts = if spoken { Cuts::Random { seed: 7 } } else { Cuts::Whole };
        seen.lock().unwrap().insert(record.id.clone(), body);
        socket.write_all(&answer(record, cuts)).await?;
    }
    Ok(())
}

/// Prices of everything, so that each class shows in the sum.
fn price() -> Price {
    let rate =
        |(class, nano_usd_per_million)| Rate { class, nano_usd_per_million, ..Rate::default() };
    let rates = [
        (Class::Image, 40_000_000_000_000),
        (Class::InputSecond, 100_000_000_000),
        (Class::Character, 15_000_000_000),
    ];
    Price { rates: rates.map(rate).to_vec(), ..Price::default() }
}

/// What the record says was made, at those prices.
fn cost(record: &Record, question: &[u8]) -> Option<i64> {
    let body: Value = serde_json::from_slice(&record.bytes()).unwrap_or_default();
    let asked: Value = serde_json::from_slice(question).unwrap_or_default();
    if record.status != 200 {
        return Some(0);
    }
    if let Some(pictures) = body["data"].as_array() {
        return Some(40_000_000 * i64::try_from(pictures.len()).unwrap());
    }
    if record.operation.starts_with("speech") {
        let characters = asked["input"].as_str()?.chars().count();
        return Some(15_000 * i64::try_from(characters).unwrap());
    }
    let seconds =
        body.pointer("/usage/seconds").or_else(|| body.pointer("/usage/prompt_audio_seconds"));
    let seconds = seconds.and_then(Value::as_i64);
    // A length that is told twice is the longer one.
    seconds.filter(|_| body.get("duration").is_none()).map(|seconds| seconds * 100_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_sound_and_moderation_go_through_to_the_byte_and_are_paid_for() {
    let mut records = Vec::new();
    let names: Vec<&str> = ASKED.iter().map(|(name, ..)| *name).collect();
    traffic::each_of(&names, |record| {
        let provider = record.id.split('-').next().unwrap();
        if !FOREIGN.contains(&provider)
            && !record.path.ends_with("/stt")
            && !record.path.ends_with("/tts")
        {
            records.push(record);
        }
    });
    let upstream = Upstream::start(&records).await;
    let node = TestNode::start().await;
    node.provider_with("replay", &format!("http://{}/v1", upstream.addr), |provider| {
        provider.models = Vec::new();
        provider.unpriced = Unpriced::Flat(price());
    })
    .await;
    node.budget_with("hard", Unit::NanoUsd, 1_000 * USD, Mode::Hard).await;
    node.budget_with("soft", Unit::NanoUsd, 1_000 * USD, Mode::Soft).await;
    let hard = node.key_with("hard", |key| key.budgets = vec!["hard".to_owned()]).await;
    let soft = node.key_with("soft", |key| key.budgets = vec!["soft".to_owned()]).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let (mut asked_count, mut paid, mut unbounded, mut skipped) = (0, 0, 0, 0);
    for record in &records {
        let Some((question, expected, kind)) = question(record) else {
            skipped += 1;
            continue;
        };
        let before = node.spent().await;
        let url = format!("http://{}/v1/{}", node.addr, asked(record).1);
        let send = |key: &str| {
            let request = client.post(&url).bearer_auth(key).header("content-type", &kind);
            request.body(question.clone()).send()
        };
        let mut answer = send(&hard).await.unwrap();
        if answer.status() == 402 {
            unbounded += 1;
            answer = send(&soft).await.unwrap();
        }
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type").cloned();
        let charged = answer.headers().contains_key("x-bursar-receipt");
        let body = answer.bytes().await.unwrap();
        assert!(charged, "{}: {status} {body:?}", record.id);
        let seen = upstream.seen.lock().unwrap().remove(&record.id).unwrap();
        assert!(seen == expected, "{} was changed on its way", record.id);
        let ours = if record.status == 401 { 502 } else { record.status };
        assert_eq!(status, ours, "{}", record.id);
        if status == 200 {
            assert!(body == record.bytes(), "the answer {} was changed", record.id);
            let recorded = record.response_headers.get("content-type").map(String::as_str);
            assert_eq!(recorded, kind.as_ref().map(|kind| kind.to_str().unwrap()), "{}", record.id);
        }
        if let Some(cost) = cost(record, &question) {
            assert_eq!(node.spent().await - before, cost, "{}", record.id);
            paid += 1;
        }
        asked_count += 1;
    }
    println!(
        "{asked_count} of {} records went through, {skipped} without a question; {paid} were \
         charged what they cost, {unbounded} could not be bounded",
        records.len()
    );
    assert!(asked_count == 147 && paid == 82, "{asked_count} {paid}");
    node.stop().await;
}
