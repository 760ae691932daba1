//! Recorded orderings of documents, from every shape to every other.

use serde_json::Value;
use wire::rerank::{Shape, read_answer, read_request, write_answer, write_request};

use crate::traffic;

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
        let (own, dropped) = write_request(&request, from, &request.model);
        assert_eq!(dropped, Vec::<String>::new());
        let own: Value = serde_json::from_slice(&own).unwrap();
        assert_eq!(own, record.request_body, "{}", record.id);
        for to in SHAPES {
            let (body, _) = write_request(&request, to, "other");
            let again = read_request(to, &body).unwrap();
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
            let again = read_answer(&write_answer(&answer, to, "made-up", "m")).unwrap();
            assert_eq!(again.results, answer.results, "{}", record.id);
        }
        count += 1;
    });
    assert!(count > 13, "{count}");
}
