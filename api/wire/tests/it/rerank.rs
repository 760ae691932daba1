//! Recorded orderings of documents, from every shape to every other.

use serde_json::{Value, json};
use wire::chat::{Leniency, Target};
use wire::rerank::{Answer, Shape, read_answer, read_request, write_answer, write_request};
use wire::splice::OutputField;

use crate::traffic;

fn target(model: &str) -> Target<'_> {
    Target {
        model,
        output_tokens_default: 1,
        output_field: OutputField::MaxTokens,
        reasons: false,
        ask_usage: false,
        leniency: Leniency::Strict,
    }
}

const SHAPES: [Shape; 3] = [Shape::Cohere, Shape::Jina, Shape::Voyage];

fn shape(id: &str) -> Shape {
    match id.split('-').next().unwrap() {
        "cohere" => Shape::Cohere,
        "voyageai" => Shape::Voyage,
        _ => Shape::Jina,
    }
}

#[test]
fn recorded_requests_are_said_in_every_shape() {
    let mut count = 0;
    traffic::each_of(&["rerank"], |record| {
        let Some(body) = record.request() else { return };
        let from = shape(&record.id);
        let request = read_request(from, &body).unwrap();
        let own = write_request(&request, from, &target(&request.model)).unwrap();
        assert_eq!(own.dropped, []);
        let own: Value = serde_json::from_slice(&own.body).unwrap();
        assert_eq!(own, record.request_body, "{}", record.id);
        for to in SHAPES {
            let written = write_request(&request, to, &target("other")).unwrap();
            let again = read_request(to, &written.body).unwrap();
            assert_eq!(
                (again.query, again.documents),
                (request.query.clone(), request.documents.clone())
            );
            assert_eq!((again.best, &*again.model), (request.best, "other"), "{}", record.id);
        }
        count += 1;
    });
    assert!(count > 13, "{count}");
}

#[test]
fn recorded_answers_are_said_in_every_shape() {
    let mut count = 0;
    traffic::each_of(&["rerank"], |record| {
        let read = read_answer(&record.bytes());
        if record.status != 200 {
            return assert!(read.is_err(), "{}", record.id);
        }
        let answer = read.unwrap();
        assert!(!answer.results.is_empty());
        let units = record.id.starts_with("cohere");
        assert_eq!((answer.search_units.is_some(), answer.tokens.is_some()), (units, !units));
        for to in SHAPES {
            let body =
                json!({"model": "m", "query": "q", "documents": [], "return_documents": false});
            let asked = read_request(to, body.to_string().as_bytes()).unwrap();
            let again = read_answer(&write_answer(&answer, &asked, "made-up")).unwrap();
            let ranks = |answer: &Answer| -> Vec<_> {
                answer.results.iter().map(|one| (one.index, one.score.clone())).collect()
            };
            assert_eq!(ranks(&again), ranks(&answer), "{}", record.id);
        }
        count += 1;
    });
    assert!(count > 13, "{count}");
}

#[test]
fn documents_come_back_to_who_asked_for_them_also_from_who_never_repeats_them() {
    let body = json!({
        "model": "m", "query": "q", "return_documents": true,
        "documents": ["one", {"text": "two", "title": "t"}],
    });
    let asked = read_request(Shape::Jina, body.to_string().as_bytes()).unwrap();
    let cohere = write_request(&asked, Shape::Cohere, &target("rerank")).unwrap();
    let cohere: Value = serde_json::from_slice(&cohere.body).unwrap();
    assert_eq!(cohere["documents"], json!(["one", "two"]));
    assert_eq!(cohere.get("return_documents"), None);
    let answer =
        json!({"results": [{"index": 1, "relevance_score": 0.5}, {"index": 0, "score": 0.1}]});
    let answer = read_answer(answer.to_string().as_bytes()).unwrap();
    let told: Value = serde_json::from_slice(&write_answer(&answer, &asked, "id")).unwrap();
    assert_eq!(told["results"][0]["document"], json!({"text": "two", "title": "t"}));
    assert_eq!(told["results"][1]["document"], json!({"text": "one"}));
    let bare = read_answer(br#"[{"index":1,"score":0.5},{"index":0,"score":0.25}]"#).unwrap();
    assert_eq!((bare.results.len(), bare.usage()), (2, None));
    let picture = json!({"model": "m", "query": "q", "documents": [{"image": "u"}]});
    let picture = read_request(Shape::Jina, picture.to_string().as_bytes()).unwrap();
    let refused = write_request(&picture, Shape::Voyage, &target("m")).unwrap_err();
    assert_eq!(refused.param.as_deref(), Some("documents"));
}
