//! A request, written out of its meaning.

mod check;
mod tools;

use super::NAME;
use super::talk::Talk;
use super::think::{Maker, Say, say, write as write_say, write_own};
use super::write_block::Blocks;
use crate::chat::{Extra, Format, Losses, Request, Target, Written};
use crate::dialect::anthropic_messages::Think;
use crate::json::{Fields, Out};
use crate::refusal::Refusal;
use tools::Tools;

/// What models are told where any JSON object will do and no schema says which.
const JSON_ONLY: &str = "Answer with a single JSON object and nothing else.";

/// What models are told where tools stand in the conversation and none may be called.
const NO_TOOLS: &str = "Do not call any tool. Answer in words.";

/// Objects of which members that were not understood may be left.
const PARTLY: [&str; 4] =
    ["inferenceConfig", "toolConfig", "outputConfig", "additionalModelRequestFields"];

/// Writes a request that was read from any dialect. Its model, and whether it is to be a stream, belong
/// into the path.
///
/// # Errors
/// A 400 that names a field which cannot be said here, unless the target is lenient.
pub fn write_request(request: &Request, target: &Target<'_>) -> Result<Written, Refusal> {
    let own = request.dialect == NAME;
    let mut losses = Losses::new(target.leniency);
    let maker = Maker::of(target.model);
    let mut asked =
        Asked { request, own, maker, say: Say::Silent, limit: request.output_tokens_max };
    let room = asked.limit.unwrap_or(target.output_tokens_default);
    if !own {
        asked.say = say(request, target.model, maker, room, &mut losses);
        check::check(request, maker, &asked.say, &mut losses)?;
    }
    if let Say::Claude(Think::Budget(_)) = asked.say {
        // A budget must fit into a limit that is told.
        asked.limit = Some(room);
    }
    let tools = Tools::of(request, own, maker, &mut losses)?;
    let talk = Talk::of(request, Blocks::new(own, maker), &mut losses)?;
    let mut notes = Vec::new();
    notes.extend(matches!(request.format, Some(Format::Json)).then_some(JSON_ONLY));
    notes.extend(tools.forbidden.then_some(NO_TOOLS));
    let body = Out::object(|out| {
        talk.write(out, &notes);
        asked.object(out, "inferenceConfig", |out| asked.limits(out));
        asked.object(out, "toolConfig", |out| tools.write(out));
        asked.object(out, "outputConfig", |out| asked.output_config(out));
        asked.object(out, "additionalModelRequestFields", |out| {
            asked.additional(out);
            tools.write_additional(out);
        });
        if own {
            let rest = request.extra.iter().filter(|(key, _)| !PARTLY.contains(key));
            rest.for_each(|(key, value)| out.raw(key, value.as_str()));
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

/// What is asked, beside the conversation.
struct Asked<'a> {
    request: &'a Request,
    own: bool,
    maker: Maker,
    say: Say,
    limit: Option<u64>,
}

impl Asked<'_> {
    /// Writes an object with what is left of it in a request of this dialect, unless it is empty.
    fn object(&self, out: &mut Out, key: &str, body: impl FnOnce(&mut Out)) {
        let left = self.request.extra.get(key).filter(|_| self.own);
        let rest = match left.map(Fields::read) {
            None => Extra::default(),
            Some(Ok(fields)) => fields.rest(),
            // It was no object, and nothing was made of it.
            Some(Err(_)) => return out.raw(key, left.unwrap_or_default()),
        };
        let object = Out::object(|out| {
            body(out);
            out.extra(&rest);
        });
        if object != b"{}" {
            out.raw(key, &String::from_utf8_lossy(&object));
        }
    }

    fn limits(&self, out: &mut Out) {
        let Self { request, own, .. } = self;
        if let Some(limit) = self.limit {
            out.number("maxTokens", limit);
        }
        if !self.say.is_claude_thinking() {
            let sampling = &request.sampling;
            if let Some(temperature) = &sampling.temperature {
                let above =
                    !own && temperature.as_str().parse::<f64>().is_ok_and(|value| value > 1.0);
                out.raw("temperature", if above { "1" } else { temperature.as_str() });
            }
            if let Some(top_p) = &sampling.top_p {
                out.raw("topP", top_p.as_str());
            }
        }
        let stop: Vec<&String> =
            request.stop.iter().filter(|text| *own || !text.trim().is_empty()).collect();
        if !stop.is_empty() {
            out.list("stopSequences", |out| stop.iter().for_each(|text| out.text_item(text)));
        }
    }

    fn output_config(&self, out: &mut Out) {
        let Some(Format::Schema(schema)) = &self.request.format else { return };
        out.member("textFormat", |out| {
            out.text("type", "json_schema");
            out.member("structure", |out| {
                out.member("jsonSchema", |out| {
                    out.text("schema", schema.schema.as_str());
                    if let Some(name) = &schema.name {
                        out.text("name", name);
                    }
                    if let Some(description) = &schema.description {
                        out.text("description", description);
                    }
                });
            });
        });
    }

    fn additional(&self, out: &mut Out) {
        match &self.request.reasoning {
            Some(reasoning) if self.own => write_own(out, self.maker, reasoning),
            Some(_) | None => write_say(out, &self.say),
        }
        let Some(top_k) = &self.request.sampling.top_k else { return };
        match self.maker {
            Maker::Nova => {
                out.member("inferenceConfig", |out| out.raw("topK", top_k.as_str()));
            }
            Maker::Claude | Maker::Gpt | Maker::Other | Maker::Unknown
                if self.own || check::takes_top_k(self.maker, &self.say) =>
            {
                out.raw("top_k", top_k.as_str());
            }
            Maker::Claude | Maker::Gpt | Maker::Other | Maker::Unknown => {}
        }
    }
}
