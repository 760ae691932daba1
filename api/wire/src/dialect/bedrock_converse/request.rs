//! A request, read for its meaning.

use super::NAME;
use super::block::{cache_point, parts};
use super::think::{Additional, additional};
use crate::chat::{
    Effort, Extra, Format, Function, Raw, Reasoning, Request, Role, Sampling, Schema, Tool,
    ToolBody, ToolChoice, Turn,
};
use crate::field_value::{invalid_json, missing};
use crate::json::{Fields, Out, items, text};
use crate::refusal::Refusal;

/// Reads what a request means. Its model, and whether it is to be a stream, stand in the path.
///
/// # Errors
/// A 400 that names the field.
pub fn read_request(body: &[u8]) -> Result<Request, Refusal> {
    let text = std::str::from_utf8(body)
        .map_err(|error| invalid_json(format!("request body is no UTF-8: {error}")))?;
    let not_json = |at| invalid_json(format!("request body is not a JSON object at byte {at}"));
    let mut fields = Fields::read(text).map_err(|malformed| not_json(malformed.at))?;
    let mut turns = Vec::new();
    let system = fields.filled("system");
    if !system.is_empty() {
        turns.push(turn_of(Role::System, parts(system, false), Extra::default()));
    }
    for message in fields.list("messages").ok_or_else(|| missing("messages"))? {
        turns.push(turn(message)?);
    }
    let mut kept = Kept::default();
    let mut limits = fields.object("inferenceConfig").unwrap_or_default();
    let output_tokens_max = limits.whole("maxTokens");
    let (temperature, top_p) = (limits.number("temperature"), limits.number("topP"));
    let stop = limits.take("stopSequences", texts).unwrap_or_default();
    kept.rest("inferenceConfig", limits);
    let (tools, tool_choice) = tools(&mut fields, &mut kept);
    let (format, mut reasoning) = output_config(&mut fields, &mut kept);
    let Additional { top_k, reasoning: asked, rest } =
        fields.object("additionalModelRequestFields").map(additional).unwrap_or_default();
    kept.rest("additionalModelRequestFields", rest);
    if let Some(asked) = asked {
        let effort = asked.effort.clone().or_else(|| reasoning.take()?.effort);
        reasoning = Some(Reasoning { effort, ..asked });
    }
    Ok(Request {
        dialect: NAME,
        model: String::new(),
        turns,
        tools,
        tool_choice,
        parallel_tools: None,
        format,
        sampling: Sampling { temperature, top_p, top_k, ..Sampling::default() },
        output_tokens_max,
        stop,
        answers: None,
        logprobs: None,
        reasoning,
        stream: None,
        user: None,
        cache: None,
        extra: kept.with(fields.rest()),
        output_extra: Extra::default(),
    })
}

/// Objects of which only a part was understood.
#[derive(Default)]
struct Kept(Vec<(String, Raw)>);

impl Kept {
    /// Keeps what is left of an object, if anything is.
    fn rest(&mut self, key: &str, fields: Fields<'_>) {
        let rest = fields.rest();
        if !rest.is_empty() {
            let object = Out::object(|out| out.extra(&rest));
            self.0.push((key.to_owned(), Raw::new(&String::from_utf8_lossy(&object))));
        }
    }

    fn with(self, rest: Extra) -> Extra {
        let others = rest.iter().map(|(key, raw)| (key.to_owned(), raw.clone()));
        self.0.into_iter().chain(others).collect()
    }
}

fn turn_of(role: Role, parts: Vec<crate::chat::Part>, extra: Extra) -> Turn {
    Turn { role, name: None, parts, plain: false, cache: None, extra }
}

fn turn(message: &str) -> Result<Turn, Refusal> {
    let wrong = |say: String| Refusal::invalid("invalid_value", Some("messages"), say);
    let mut fields = Fields::read(message)
        .map_err(|_| wrong("'messages' must be an array of objects".to_owned()))?;
    let role = fields.text("role").unwrap_or_default();
    let role = match role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(wrong(format!("unknown role '{role:.40}' in 'messages'"))),
    };
    let blocks = fields.list("content");
    let blocks = blocks.ok_or_else(|| wrong("'content' must be an array of blocks".to_owned()))?;
    let parts = parts(blocks, role == Role::Assistant);
    Ok(turn_of(role, parts, fields.rest()))
}

fn texts(value: &str) -> Option<Vec<String>> {
    items(value).filter(|items| !items.is_empty())?.into_iter().map(text).collect()
}

fn tools(fields: &mut Fields<'_>, kept: &mut Kept) -> (Vec<Tool>, Option<ToolChoice>) {
    let Some(mut config) = fields.object("toolConfig") else { return (Vec::new(), None) };
    let mut tools: Vec<Tool> = Vec::new();
    for value in config.filled("tools") {
        match (cache_point(value), tools.last_mut()) {
            (Some(cache), Some(last)) if last.cache.is_none() => last.cache = Some(cache),
            _ => tools.push(tool(value)),
        }
    }
    let choice = config.take("toolChoice", tool_choice);
    kept.rest("toolConfig", config);
    (tools, choice)
}

fn tool(value: &str) -> Tool {
    let none = Extra::default;
    function(value).unwrap_or_else(|| {
        let mut fields = Fields::read(value).unwrap_or_default();
        let kind =
            ["systemTool", "cachePoint"].into_iter().find(|key| fields.object(key).is_some());
        let kind = kind.unwrap_or_default().to_owned();
        let body = ToolBody::Opaque { kind, raw: Raw::new(value) };
        Tool { body, cache: None, extra: none(), inner: none() }
    })
}

fn function(value: &str) -> Option<Tool> {
    let mut fields = Fields::read(value).ok()?;
    let mut spec = fields.object("toolSpec")?;
    let schema = spec.take("inputSchema", |value| {
        let mut inner = Fields::read(value).ok()?;
        let schema = inner.raw("json")?;
        inner.is_empty().then_some(schema)
    });
    let body = ToolBody::Function(Function {
        name: spec.text("name")?,
        description: spec.text("description"),
        schema,
        strict: spec.boolean("strict"),
    });
    Some(Tool { body, cache: None, extra: fields.rest(), inner: spec.rest() })
}

fn tool_choice(value: &str) -> Option<ToolChoice> {
    let mut fields = Fields::read(value).ok()?;
    let choice = if fields.object("auto").is_some() {
        ToolChoice::Auto
    } else if fields.object("any").is_some() {
        ToolChoice::Required
    } else {
        ToolChoice::Tool(fields.object("tool")?.text("name")?)
    };
    fields.is_empty().then_some(choice)
}

/// The shape of the answer, and how hard to think about it.
fn output_config(fields: &mut Fields<'_>, kept: &mut Kept) -> (Option<Format>, Option<Reasoning>) {
    let Some(mut config) = fields.object("outputConfig") else { return (None, None) };
    let format = config.take("textFormat", |value| {
        let mut inner = Fields::read(value).ok()?;
        if !inner.tag("type", "json_schema") {
            return None;
        }
        let mut structure = inner.object("structure")?;
        let mut named = structure.object("jsonSchema")?;
        let schema = named.text("schema")?;
        // It is JSON inside a text.
        Fields::read(schema.trim()).ok()?;
        Some(Format::Schema(Schema {
            name: named.text("name"),
            description: named.text("description"),
            schema: Raw::new(schema.trim()),
            strict: Some(true),
        }))
    });
    let effort = config.text("effort").map(|name| Effort::named(&name));
    kept.rest("outputConfig", config);
    (format, effort.map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() }))
}
