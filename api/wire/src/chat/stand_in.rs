//! Tools that take free text and groups of tools, which only OpenAI's models know: for others functions
//! stand in for them, and calls of these are told back as what the caller knows.

use std::borrow::Cow;

use super::answer::Answer;
use super::event::{Delta, Event};
use super::loss::Losses;
use super::part::{Body, Part, ToolCall};
use super::raw::{Extra, Raw};
use super::request::Request;
use super::search::search;
use super::tool::{Function, Tool, ToolBody, ToolChoice};
use crate::json::{Fields, items, text};

/// What the function that stands in for a tool takes.
const SCHEMA: &str = r#"{"type":"object","properties":{"input":{"type":"string","description":"The whole input of the tool, as free text."}},"required":["input"],"additionalProperties":false}"#;

/// The kind of tools that take free text, in both dialects that have them.
const CUSTOM: &str = "custom";

/// The kind of groups of functions, whose names are their own within the group only.
const NAMESPACE: &str = "namespace";

/// Between a group's name and that of a function in it, where there are no groups.
const JOINT: &str = "__";

/// The tools that functions stand in for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandIns {
    /// Names of those that take free text.
    custom: Vec<String>,
    /// Names of groups.
    namespaces: Vec<String>,
}

impl StandIns {
    /// The tools of a request for which functions stand in where another dialect is spoken.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let mut all = Self::default();
        for tool in &request.tools {
            if let Some(function) = function(tool) {
                all.custom.push(function.name);
            } else if let Some((namespace, _)) = members(tool) {
                all.namespaces.push(namespace);
            }
        }
        all
    }

    /// Gives a call the name that the caller knows; says whether it takes free text.
    fn rename(&self, call: &mut ToolCall) -> bool {
        if call.provider_kind.is_some() || call.custom {
            return false;
        }
        let group = self.namespaces.iter().find_map(|group| {
            let name = call.name.strip_prefix(group.as_str())?.strip_prefix(JOINT)?;
            Some((group.clone(), name.to_owned()))
        });
        if let Some((group, name)) = group {
            (call.namespace, call.name) = (Some(group), name);
            return false;
        }
        call.custom = self.custom.contains(&call.name);
        call.custom
    }

    /// Tells the calls in an answer back.
    pub(crate) fn tell_back(&self, answer: &mut Answer) {
        for part in answer.choices.iter_mut().flat_map(|choice| &mut choice.parts) {
            if let Body::ToolCall(call) = &mut part.body
                && self.rename(call)
            {
                call.arguments = input(&call.arguments);
            }
        }
    }
}

/// A function's arguments as the text they stand for.
fn input(arguments: &str) -> String {
    let given = Fields::read(arguments).ok().and_then(|mut fields| fields.text("input"));
    given.unwrap_or_else(|| arguments.to_owned())
}

/// The function that stands in for a tool that takes free text; `None` for every other tool.
fn function(tool: &Tool) -> Option<Function> {
    let ToolBody::Opaque { kind, raw } = &tool.body else { return None };
    if kind != CUSTOM {
        return None;
    }
    let mut outer = Fields::read(raw.as_str()).ok()?;
    let mut fields = outer.object(CUSTOM).unwrap_or(outer);
    let name = fields.text("name")?;
    let told = [fields.text("description"), fields.take("format", grammar)];
    let description = told.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    Some(Function {
        name,
        description: (!description.is_empty()).then_some(description),
        schema: Some(Raw::new(SCHEMA)),
        strict: None,
    })
}

/// What the model is told of the form of a tool's input.
fn grammar(format: &str) -> Option<String> {
    let mut outer = Fields::read(format).ok()?;
    let mut fields = outer.object("grammar").unwrap_or(outer);
    let (syntax, definition) = (fields.text("syntax"), fields.text("definition")?);
    let syntax = syntax.unwrap_or_else(|| "formal".to_owned());
    Some(format!("The input must keep to this {syntax} grammar:\n{definition}"))
}

/// The name of a group and its functions; `None` for every other tool, and for groups that hold others.
fn members(tool: &Tool) -> Option<(String, Vec<Tool>)> {
    let ToolBody::Opaque { kind, raw } = &tool.body else { return None };
    if kind != NAMESPACE {
        return None;
    }
    let mut fields = Fields::read(raw.as_str()).ok()?;
    let group = fields.text("name")?;
    let about = fields.text("description");
    let member = |value: &str| {
        let mut inner = Fields::read(value).ok()?;
        let name = inner.tag("type", "function").then(|| inner.text("name"))??;
        let told = [about.clone(), inner.text("description")];
        let description = told.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
        let body = ToolBody::Function(Function {
            name: format!("{group}{JOINT}{name}"),
            description: (!description.is_empty()).then_some(description),
            schema: inner.raw("parameters"),
            strict: inner.boolean("strict"),
        });
        let (extra, inner) = (Extra::default(), Extra::default());
        Some(Tool { body, cache: None, extra, inner })
    };
    let functions: Option<Vec<Tool>> = fields.list("tools")?.into_iter().map(member).collect();
    Some((group, functions?))
}

/// A request of another dialect made ready for one: functions in the place of tools that take free text
/// and of groups, searches in the words of their provider, and a choice among some tools made by leaving
/// the others out.
pub(crate) fn stand_in<'a>(
    request: &'a Request,
    dialect: &str,
    losses: &mut Losses,
) -> Cow<'a, Request> {
    let choice = request.extra.get("tool_choice").and_then(Choice::read);
    let foreign = |tool: &Tool| matches!(tool.body, ToolBody::Opaque { .. });
    if !request.tools.iter().any(foreign) && choice.is_none() {
        return Cow::Borrowed(request);
    }
    let mut request = request.clone();
    request.tools = request.tools.into_iter().flat_map(|tool| replaced(tool, losses)).collect();
    let functions = request.tools.iter().any(|tool| matches!(tool.body, ToolBody::Function(_)));
    for tool in &mut request.tools {
        if let Some(raw) = search(tool, dialect, functions, losses) {
            tool.body = ToolBody::Hosted(raw);
        }
    }
    for part in request.turns.iter_mut().flat_map(|turn| &mut turn.parts) {
        if let Body::ToolCall(call) = &mut part.body
            && let Some(group) = call.namespace.take()
        {
            call.name = format!("{group}{JOINT}{}", call.name);
        }
    }
    if let Some(Choice { choice, among }) = choice {
        losses.emulated("tool_choice");
        request.extra.remove("tool_choice");
        request.tool_choice = Some(choice);
        if let Some(among) = among {
            let is_among = |tool: &Tool| match &tool.body {
                ToolBody::Function(function) => among.contains(&function.name),
                ToolBody::Opaque { kind, .. } => among.contains(kind),
                ToolBody::Hosted(_) => among.iter().any(|name| name.starts_with("web_search")),
            };
            request.tools.retain(is_among);
        }
    }
    Cow::Owned(request)
}

/// What stands in for a tool: itself for most.
fn replaced(mut tool: Tool, losses: &mut Losses) -> Vec<Tool> {
    if let Some((_, functions)) = members(&tool) {
        losses.emulated("tools.namespace");
        return functions;
    }
    if let Some(function) = function(&tool) {
        losses.emulated("tools.custom");
        tool.body = ToolBody::Function(function);
    }
    vec![tool]
}

/// A choice of tools in a form that only OpenAI's dialects have.
struct Choice {
    choice: ToolChoice,
    /// The tools to choose from; all of them where nothing is said.
    among: Option<Vec<String>>,
}

impl Choice {
    fn read(value: &str) -> Option<Self> {
        let mut fields = Fields::read(value).ok()?;
        match fields.text("type")?.as_str() {
            CUSTOM => {
                let mut inner = fields.object(CUSTOM).unwrap_or(fields);
                let choice = ToolChoice::Tool(inner.text("name")?);
                Some(Self { choice, among: None })
            }
            "allowed_tools" => {
                let mut inner = fields.object("allowed_tools").unwrap_or(fields);
                let choice = match inner.text("mode")?.as_str() {
                    "auto" => ToolChoice::Auto,
                    "required" => ToolChoice::Required,
                    _ => return None,
                };
                let among = inner.take("tools", items)?.into_iter().map(allowed).collect();
                Some(Self { choice, among: Some(among) })
            }
            _ => None,
        }
    }
}

/// The name of an allowed tool, or the kind of one that has none.
fn allowed(value: &str) -> String {
    let mut fields = Fields::read(value).unwrap_or_default();
    let kind = fields.get("type").and_then(text).unwrap_or_default();
    let inner = fields.object(&kind);
    let named = inner.and_then(|mut inner| inner.text("name")).or_else(|| fields.text("name"));
    named.unwrap_or(kind)
}

/// Tells the calls in a stream back. A function's arguments are held until they are whole.
#[derive(Debug, Default)]
pub(crate) struct TellBack {
    names: StandIns,
    /// Open calls by choice and part, each with the arguments so far.
    held: Vec<((u32, u32), String)>,
}

impl TellBack {
    pub(crate) const fn new(names: StandIns) -> Self {
        Self { names, held: Vec::new() }
    }

    /// Takes the next event; `say` gets it, or what it stands for.
    pub(crate) fn push(&mut self, event: Event, say: &mut dyn FnMut(Event)) {
        match event {
            Event::Begin { choice, part, body } => {
                let body = self.begin((choice, part), *body);
                say(Event::Begin { choice, part, body: Box::new(body) });
            }
            Event::Delta { choice, part, delta: Delta::Arguments(more) } => {
                match self.held.iter_mut().find(|(at, _)| *at == (choice, part)) {
                    Some((_, held)) => held.push_str(&more),
                    None => say(Event::Delta { choice, part, delta: Delta::Arguments(more) }),
                }
            }
            Event::End { choice, part } => {
                if let Some(at) = self.held.iter().position(|(at, _)| *at == (choice, part)) {
                    let (_, held) = self.held.swap_remove(at);
                    let delta = Delta::Arguments(input(&held));
                    say(Event::Delta { choice, part, delta });
                }
                say(Event::End { choice, part });
            }
            Event::Start { .. }
            | Event::Delta { .. }
            | Event::Logprobs { .. }
            | Event::Finish { .. }
            | Event::Usage(_)
            | Event::Ping
            | Event::Failed(_)
            | Event::Whole => say(event),
        }
    }

    fn begin(&mut self, at: (u32, u32), mut body: Part) -> Part {
        if let Body::ToolCall(call) = &mut body.body
            && self.names.rename(call)
        {
            self.held.push((at, std::mem::take(&mut call.arguments)));
        }
        body
    }
}
