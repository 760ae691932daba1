//! Pictures, sound and moderation as they were recorded: read, passed on to the byte, and counted.

use bytes::Bytes;
use serde_json::Value;
use wire::dialect::openai_chat::{DIALECT, read, reply};
use wire::splice::{self, Edits, ModelName};
use wire::{Asked, Call, Operation, ProviderError, Refusal};

use crate::traffic::{self, Record};

const OPERATIONS: &[&str] = &[
    "moderations",
    "images",
    "images_edit",
    "images_variation",
    "speech",
    "speech_stream",
    "transcription",
    "transcription_stream",
    "translation",
];

fn operation(record: &Record) -> Operation {
    match record.operation.as_str() {
        "moderations" => Operation::Moderations,
        "images" => Operation::Images,
        "images_edit" => Operation::ImageEdits,
        "images_variation" => Operation::ImageVariations,
        "speech" | "speech_stream" => Operation::Speech,
        "translation" => Operation::Translations,
        _ => Operation::Transcriptions,
    }
}

/// Providers that answer under a path and in a shape of their own.
fn is_foreign(record: &Record) -> bool {
    let paths = ["/images/", "/audio/", "/moderations"];
    let provider = record.id.split('-').next().unwrap();
    !paths.iter().any(|path| record.path.contains(path))
        || ["elevenlabs", "openrouter", "cohere"].contains(&provider)
}

/// The request as it was sent, and its content type.
fn request(record: &Record) -> Option<(Bytes, String)> {
    use base64::Engine as _;
    let text = || record.request_body.as_str().unwrap();
    let body = match record.request_body_encoding.as_str() {
        "json" => return Some((record.request()?, "application/json".to_owned())),
        "base64" => base64::engine::general_purpose::STANDARD.decode(text()).unwrap(),
        "text" => text().as_bytes().to_vec(),
        _ => return None,
    };
    let end = body.windows(2).position(|pair| pair == b"\r\n").unwrap();
    let boundary = std::str::from_utf8(&body[2..end]).unwrap();
    let kind = format!("multipart/form-data; boundary=\"{boundary}\"");
    Some((Bytes::from(body), kind))
}

fn read_as(operation: Operation, body: &[u8], kind: &str) -> Result<Call, Refusal> {
    read(&Asked { content_type: Some(kind), ..Asked::of(operation) }, body)
}

/// The body with another model in it.
fn told(call: &Call, body: &Bytes, model: &str) -> Vec<u8> {
    let model = ModelName::new(model);
    let edits = Edits { model: Some(&model), ask_usage: true, ..Edits::default() };
    splice::apply(call, &edits, body).concat()
}

#[test]
fn every_record_goes_on_to_the_byte_and_tells_what_it_used() {
    let (mut forms, mut bodies, mut skipped, mut streams) = (0, 0, 0, 0);
    let (mut answers, mut silent) = (0, Vec::new());
    traffic::each_of(OPERATIONS, |record| {
        match sent(&record) {
            None => skipped += 1,
            Some(true) => forms += 1,
            Some(false) => bodies += 1,
        }
        if record.is_stream() {
            stream(&record);
            streams += 1;
        } else if let Some(told) = answered(&record) {
            answers += 1;
            if !told {
                silent.push(record.id);
            }
        }
    });
    println!(
        "{forms} forms and {bodies} bodies go on, {skipped} were not kept or are not OpenAI's"
    );
    println!("{answers} answers; without a word of what they used: {}", silent.len());
    assert_eq!((forms, bodies, streams, answers), (54, 70, 5, 107));
    let spoken = |id: &&String| id.contains("trans");
    assert!(silent.iter().filter(spoken).count() < 20, "{silent:?}");
}

/// Goes on with another model in it, and not a byte else; whether it is a form.
fn sent(record: &Record) -> Option<bool> {
    assert_eq!(record.method, "POST", "{}", record.id);
    let (body, kind) = request(record).filter(|_| !is_foreign(record))?;
    let text = String::from_utf8_lossy(&body);
    let was = text.contains("\"model\"") || text.contains("name=model");
    if !was && operation(record) == Operation::Transcriptions {
        return None;
    }
    let call = read_as(operation(record), &body, &kind).unwrap();
    let told = told(&call, &body, "the-other");
    let again = read_as(operation(record), &told, &kind).unwrap();
    assert_eq!((again.model.as_str(), again.work), ("the-other", call.work), "{}", record.id);
    if was {
        let back = self::told(&again, &Bytes::from(told), &call.model);
        assert_eq!(back, body, "{}", record.id);
    }
    Some(call.is_form())
}

/// Whether a plain answer tells what it used.
fn answered(record: &Record) -> Option<bool> {
    if record.status != 200 || record.response_body_encoding == "base64" || is_foreign(record) {
        return None;
    }
    let reply = reply(operation(record), &record.bytes());
    assert_eq!(reply.fault, None, "{}", record.id);
    let body: Value = serde_json::from_slice(&record.bytes()).unwrap_or_default();
    let usage = reply.usage.unwrap_or_default();
    if let Some(pictures) = body["data"].as_array() {
        assert_eq!(usage.images, pictures.len() as u64, "{}", record.id);
    }
    let at = |path: &str| body.pointer(path).and_then(Value::as_u64);
    if let Some(seconds) = at("/usage/seconds").or_else(|| at("/usage/prompt_audio_seconds")) {
        assert!(usage.input_ms >= seconds * 1_000, "{}", record.id);
    }
    if let Some(output) = at("/usage/output_tokens") {
        let input = at("/usage/input_tokens").unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (input, output), "{}", record.id);
    }
    Some(reply.usage.is_some())
}

/// Goes on to the byte, and is counted, however it is cut.
fn stream(record: &Record) {
    let (body, kind) = request(record).unwrap();
    let call = read_as(operation(record), &body, &kind).unwrap();
    assert!(call.stream && !call.raw, "{}", record.id);
    let answer = record.body();
    for size in [1, 7, answer.len()] {
        let mut relay = DIALECT.passing(&call, false);
        let mut out = Vec::new();
        for at in (0..answer.len()).step_by(size) {
            let chunk = answer.slice(at..answer.len().min(at + size));
            relay.push(&chunk, &mut out).map_err(|error: ProviderError| error.message).unwrap();
        }
        let cut = || Refusal::provider(502, "cut", "cut");
        let end = relay.finish(&cut, &mut out);
        assert!(end.complete, "{}", record.id);
        assert_eq!(out.concat(), answer, "{}", record.id);
        let usage = end.usage().unwrap();
        let spoken = usage.audio_output_tokens.max(usage.audio_input_tokens);
        assert!(usage.output_tokens > 0 && spoken > 0, "{usage:?}");
    }
}

#[test]
fn a_stream_of_pictures_adds_up_what_each_of_them_cost() {
    let event = |at: u64| {
        format!(
            "event: image_generation.completed\ndata: {{\"type\":\"image_generation.completed\",\"b64_json\":\"eA==\",\"size\":\"1024x1024\",\"quality\":\"low\",\"usage\":{{\"input_tokens\":{at},\"output_tokens\":272,\"total_tokens\":{}}}}}\n\n",
            at + 272
        )
    };
    let body = Bytes::from(r#"{"model":"m","prompt":"p","n":2,"stream":true,"partial_images":1}"#);
    let call = read_as(Operation::Images, &body, "application/json").unwrap();
    assert_eq!((call.work.images, call.work.previews), (2, 1));
    let preview = "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\"}\n\n";
    let cut = || Refusal::provider(502, "cut", "cut");
    for (done, complete) in [(1, false), (2, true)] {
        let mut relay = DIALECT.passing(&call, false);
        let mut out = Vec::new();
        let said = (0..done).fold(preview.to_owned(), |said, at| said + &event(10 + at));
        relay.push(&Bytes::from(said.clone()), &mut out).unwrap();
        let end = relay.finish(&cut, &mut out);
        assert_eq!(end.complete, complete);
        let usage = end.usage().unwrap();
        assert_eq!((usage.images, usage.image_output_tokens), (done, 272 * done));
        assert!(out.concat().starts_with(said.as_bytes()));
        assert_eq!(out.concat().len() > said.len(), !complete);
    }
}

#[test]
fn what_is_asked_for_is_known_before_it_is_sent() {
    let of = |operation, body: &str| read_as(operation, body.as_bytes(), "application/json");
    let call =
        of(Operation::Speech, r#"{"model":"tts-1","input":"na\u00efve \ud83d\ude00","voice":"v"}"#)
            .unwrap();
    assert_eq!((call.work.characters, call.stream, call.raw), (7, true, true));
    let call =
        of(Operation::Images, r#"{"prompt":"p","n":3,"size":"1792x1024","quality":"hd"}"#).unwrap();
    assert_eq!(call.model, "dall-e-2");
    let wire::Picture { width, height, quality } = call.work.picture;
    assert_eq!((call.work.images, width, height), (3, 1_792, 1_024));
    assert_eq!(quality, wire::Quality::Hd);
    for (operation, body, param) in [
        (Operation::Speech, r#"{"model":"m"}"#, "input"),
        (Operation::Speech, r#"{"input":"x"}"#, "model"),
        (Operation::Images, r#"{"prompt":"p","n":-1}"#, "n"),
        (Operation::Images, r#"{"prompt":"p","model":""}"#, "model"),
        (Operation::Images, r#"{"prompt":"p","model":"a","Model":"b"}"#, "model"),
        (Operation::Images, "{}", "prompt"),
        (Operation::Moderations, r#"{"model":"m"}"#, "input"),
    ] {
        let refusal = of(operation, body).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some(param), "{body}");
    }
}

#[test]
fn no_garbage_of_a_form_makes_the_reader_fall_over() {
    let form = b"--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\x10\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\r\n--B--\r\n";
    let kind = "multipart/form-data; boundary=B";
    let call = read_as(Operation::Transcriptions, form, kind).unwrap();
    assert_eq!((call.model.as_str(), call.work.audio_ms_max.is_some()), ("whisper-1", true));
    for at in 0..form.len() {
        let _ = read_as(Operation::Transcriptions, &form[..at], kind);
        for byte in [0, b'\n', b'-', b'"', 0xff] {
            let mut body = form.to_vec();
            body[at] = byte;
            let Ok(call) = read_as(Operation::Transcriptions, &body, kind) else { continue };
            let told = told(&call, &Bytes::from(body.clone()), &call.model.clone());
            assert_eq!(told, body, "{at}");
        }
    }
}
