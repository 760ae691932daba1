//! Embeddings of models on Vertex, by predict: instances in, predictions out.

use super::{
    Answer, Encoding, Format, Input, Maker, Request, Vector, answered, asked, gemini, losses,
    no_text, none, texts,
};
use crate::chat::{Target, Written};
use crate::field_value::missing;
use crate::json::{Fields, Out, text};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;

/// Each text may have a task of its own; here all have one.
pub const FORMAT: Format = Format {
    name: "vertex",
    inputs_max: Some(250),
    read_request,
    write_request,
    read_answer,
    write_answer,
};

fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let mut fields = asked(body)?;
    let list = fields.list("instances").ok_or_else(|| missing("instances"))?;
    let mut request = Request { maker: Maker::Vertex, ..Request::default() };
    for instance in list {
        let mut instance = Fields::read(instance).map_err(|_| no_text("instances"))?.camel();
        request
            .inputs
            .push(Input::Text(instance.text("content").ok_or_else(|| no_text("instances"))?));
        let word = instance.take("taskType", text);
        request.task = word.map(gemini::task).or(request.task);
    }
    let mut parameters = fields.object("parameters").unwrap_or_default().camel();
    request.dimensions = parameters.whole("outputDimensionality");
    request.extra = parameters.rest();
    Ok(request)
}

fn write_request(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let losses = losses(request, Maker::Vertex, target, &["task"])?;
    let texts = texts(request, "Vertex")?;
    let own = request.maker == Maker::Vertex;
    let word = gemini::word(request, own || request.maker == Maker::Gemini);
    let body = Out::object(|out| {
        out.list("instances", |out| {
            for text in texts {
                out.item(|out| {
                    out.text("content", text);
                    if let Some(word) = word {
                        out.text("task_type", word);
                    }
                });
            }
        });
        if request.dimensions.is_some() || own && !request.extra.is_empty() {
            out.member("parameters", |out| {
                if let Some(length) = request.dimensions {
                    out.number("outputDimensionality", length);
                }
                if own {
                    out.extra(&request.extra);
                }
            });
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let mut fields = answered(body)?;
    let list = fields.list("predictions").ok_or_else(none)?;
    let (mut vectors, mut counted) = (Vec::with_capacity(list.len()), Vec::new());
    for prediction in list {
        let inner = Fields::read(prediction).ok().and_then(|mut one| one.object("embeddings"));
        let mut inner = inner.ok_or_else(none)?;
        vectors.push(inner.get("values").and_then(Vector::read).ok_or_else(none)?);
        counted.extend(inner.object("statistics").and_then(|of| of.camel().whole("tokenCount")));
    }
    // A sum of some is the count of none.
    let all = !vectors.is_empty() && counted.len() == vectors.len();
    let input_tokens = all.then(|| counted.into_iter().fold(0, u64::saturating_add));
    Ok(Answer { vectors, input_tokens, ..Answer::default() })
}

/// All tokens are told of the first text: nobody says how many each one has.
fn write_answer(answer: &Answer, _request: &Request) -> Vec<u8> {
    let mut tokens = answer.input_tokens;
    Out::object(|out| {
        out.list("predictions", |out| {
            for vector in &answer.vectors {
                out.item(|out| {
                    out.member("embeddings", |out| {
                        vector.write(out, "values", Encoding::Floats);
                        out.member("statistics", |out| {
                            out.number("token_count", tokens.replace(0).unwrap_or(0));
                            out.boolean("truncated", false);
                        });
                    });
                });
            }
        });
    })
}
