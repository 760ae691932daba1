//! Bedrock's Converse, in and out.

use serde_json::Value;
use wire::chat::{Answer, Body, Event, Finish, Identity, WriteStream, replay};
use wire::dialect::bedrock_converse::{
    NAME, StreamReading, StreamWriting, read_answer, read_refusal, read_request, write_answer,
    write_request,
};
use wire::splice::OutputField;

use super::support::{collected, cuts, difference, events, target};
use crate::traffic::{self, Record, record};

fn read(body: &[u8], cuts: Vec<usize>) -> Vec<Event> {
    events(Box::new(StreamReading::new()), body, cuts)
}

fn written(said: &[Event]) -> Vec<u8> {
    let mut writer = StreamWriting::new(Identity::default());
    let mut out = Vec::new();
    said.iter().for_each(|event| writer.event(event, &mut out));
    out
}

/// The model as the path names it.
fn model(record: &Record) -> String {
    let inner = record.path.strip_prefix("/model/").unwrap_or_default();
    let encoded = inner.rsplit_once('/').map_or(inner, |(model, _)| model);
    encoded.replace("%3A", ":").replace("%2F", "/")
}

/// Members that are said another way again, in the order of the table: what each means was compared.
fn is_said_otherwise(fault: &str) -> bool {
    let others = [
        // Claude's older name for it.
        ".additionalModelRequestFields.reasoning_config",
        ".additionalModelRequestFields.thinking",
        // Says nothing.
        ".additionalModelRequestFields: {}",
        ".inferenceConfig: {}",
        ".system: []",
        // JSON in a text, without the space around it.
        ".outputConfig.textFormat.structure.jsonSchema.schema",
    ];
    others.iter().any(|other| fault.contains(other))
}

#[test]
fn recorded_requests_are_said_again_as_they_were() {
    let (mut count, mut faults) = (0, Vec::new());
    traffic::each_of(&["converse", "converse_stream"], |record| {
        let Some(body) = record.request() else { return };
        let Ok(request) = read_request(&body) else {
            // One is a request to be refused, whose messages are no list of blocks.
            assert_ne!(record.status, 200, "{}", record.id);
            return;
        };
        count += 1;
        let model = model(&record);
        let written = write_request(&request, &target(&model, OutputField::MaxTokens)).unwrap();
        assert_eq!(written.dropped, [], "{}", record.id);
        let again: Value = serde_json::from_slice(&written.body).unwrap();
        faults.extend(
            difference(&record.request_body, &again).map(|what| format!("{} {what}", record.id)),
        );
        assert_eq!(read_request(&written.body).unwrap(), request, "{}", record.id);
    });
    faults.retain(|fault| !is_said_otherwise(fault));
    println!("{count} requests");
    assert_eq!(faults, [] as [String; 0], "{faults:#?}");
    assert!(count > 230, "{count}");
}

#[test]
fn recorded_answers_are_said_again_with_the_same_content_and_usage() {
    let (mut count, mut faults) = (0, Vec::new());
    traffic::each_of(&["converse"], |record| {
        if record.status != 200 {
            return;
        }
        let body: Value = serde_json::from_str(&record.response_body).unwrap();
        let answer = read_answer(record.response_body.as_bytes())
            .unwrap_or_else(|error| panic!("{}: {error:?}", record.id));
        let again: Value =
            serde_json::from_slice(&write_answer(&answer, &Identity::default())).unwrap();
        faults.extend(
            difference(&body["output"], &again["output"])
                .map(|what| format!("{} {what}", record.id)),
        );
        let counted = ["inputTokens", "outputTokens", "cacheReadInputTokens"];
        for key in counted.into_iter().chain(["cacheWriteInputTokens"]) {
            let known = body["usage"][key].as_u64().unwrap_or(0);
            assert_eq!(again["usage"][key], known, "{} {key}", record.id);
        }
        let (replayed, _, whole) = collected(&replay(&answer));
        assert!(whole);
        assert_eq!(replayed, answer, "{}", record.id);
        count += 1;
    });
    println!("{count} answers");
    assert_eq!(faults, [] as [String; 0], "{faults:#?}");
    assert!(count > 180, "{count}");
}

#[test]
fn recorded_streams_mean_the_same_however_they_are_cut_and_are_said_again() {
    let (mut count, mut whole_count) = (0_u64, 0);
    traffic::each_of(&["converse_stream"], |record| {
        if record.status != 200 {
            return;
        }
        count += 1;
        let body = record.bytes();
        let said = read(&body, vec![]);
        for seed in [count, !count] {
            assert_eq!(read(&body, cuts(body.len(), seed)), said, "{}", record.id);
        }
        if body.len() < 4000 {
            assert_eq!(read(&body, (1..body.len()).collect()), said, "{}", record.id);
        }
        let (answer, failed, whole) = collected(&said);
        whole_count += u32::from(whole);
        let (again, failed_again, whole_again) = collected(&read(&written(&said), vec![]));
        assert_eq!(whole_again, whole, "{}", record.id);
        assert_eq!(failed_again.is_some(), failed.is_some(), "{}", record.id);
        if whole {
            assert_eq!(answer.dialect, NAME, "{}", record.id);
            assert_eq!(without_empty(again), without_empty(answer), "{}", record.id);
        }
    });
    println!("{count} streams, {whole_count} whole");
    assert!(count > 48 && whole_count > 46, "{count} {whole_count}");
}

/// An answer without texts of nothing, for which no block is begun, and with the counts that are always
/// told.
fn without_empty(mut answer: Answer) -> Answer {
    for choice in &mut answer.choices {
        choice.parts.retain(|part| !matches!(&part.body, Body::Text(text) if text.text.is_empty()));
    }
    answer.counts = Some(answer.counts.unwrap_or_default());
    answer
}

/// Row 15.
#[test]
fn bedrock_converse_stream_306501680c_is_read_out_of_binary_messages_without_its_padding() {
    let record = record("bedrock-converse_stream-306501680c");
    let body = record.bytes();
    let said = read(&body, (1..body.len()).collect());
    assert!(body.windows(5).any(|five| five == br#","p":"#.as_slice()[..5].as_ref()));
    assert!(!String::from_utf8_lossy(&written(&said)).contains("\"p\":"));
}

/// Row 62.
#[test]
fn bedrock_converse_stream_306501680c_tells_its_usage_after_the_stop() {
    let said = read(&record("bedrock-converse_stream-306501680c").bytes(), vec![]);
    let at = |wanted: fn(&Event) -> bool| said.iter().position(wanted).unwrap();
    let (stop, usage, whole) = (
        at(|event| matches!(event, Event::Finish { .. })),
        at(|event| matches!(event, Event::Usage(_))),
        at(|event| matches!(event, Event::Whole)),
    );
    assert!(stop < usage && usage < whole);
}

/// Row 63.
#[test]
fn bedrock_converse_stream_2a8291a0f1_has_words_whose_block_never_starts() {
    let record = record("bedrock-converse_stream-2a8291a0f1");
    assert!(!String::from_utf8_lossy(&record.bytes()).contains("contentBlockStart"));
    let (answer, _, whole) = collected(&read(&record.bytes(), vec![]));
    assert!(whole);
    let Body::Text(text) = &answer.choices[0].parts[0].body else { panic!("{answer:?}") };
    assert!(!text.text.is_empty());
}

/// Row 65.
#[test]
fn bedrock_converse_fe390e4115_kinds_are_read_from_the_header_and_the_status_is_kept() {
    let cases = [
        ("bedrock-converse-fe390e4115", 403, "UnrecognizedClientException", true),
        ("bedrock-invoke-0ec8a84d7b", 503, "ServiceUnavailableException", false),
        ("bedrock-converse-87e93a34b5", 404, "ResourceNotFoundException", false),
        ("bedrock-converse-3ab636dea7", 429, "ThrottlingException", false),
    ];
    for (id, status, kind, credential) in cases {
        let record = record(id);
        let header = |name: &str| record.header(name);
        let error = read_refusal(record.status, &header, record.response_body.as_bytes(), 0);
        assert_eq!((error.status, error.kind.as_deref()), (status, Some(kind)), "{id}");
        assert_eq!(error.is_credential_refused(), credential, "{id}");
        assert_eq!(error.retryable, matches!(status, 429 | 503), "{id}");
        assert!(!error.message.is_empty());
    }
}

/// Row 67.
#[test]
fn bedrock_converse_e46e15c8e7_was_stopped_by_a_guardrail() {
    let body = record("bedrock-converse-e46e15c8e7").response_body;
    let answer = read_answer(body.as_bytes()).unwrap();
    assert_eq!(answer.choices[0].finish, Some(Finish::ContentFilter));
}
