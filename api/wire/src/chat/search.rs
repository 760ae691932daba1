//! Searches of the web that a provider itself makes: a tool of nearly the same form with several makers,
//! said to one in the words of another.

use super::loss::Losses;
use super::raw::{Extra, Raw};
use super::tool::{Tool, ToolBody};
use crate::json::{Fields, Out};

/// What is told of a search, in the words that two makers share.
#[derive(Debug, Default)]
struct Search {
    allowed_domains: Option<Raw>,
    blocked_domains: Option<Raw>,
    user_location: Option<Raw>,
    rest: Extra,
}

impl Search {
    /// Reads the tool; `None` where it is another.
    fn read(tool: &Tool) -> Option<Self> {
        let ToolBody::Opaque { kind, raw } = &tool.body else { return None };
        let outer = Fields::read(raw.as_str()).ok()?;
        let mut fields = match kind.as_str() {
            "googleSearch" => outer.get(kind).and_then(|inner| Fields::read(inner).ok())?,
            kind if kind.starts_with("web_search") => outer,
            _ => return None,
        };
        for known in ["type", "name"] {
            fields.text(known);
        }
        // Whether results may be old ones changes little of what is answered.
        fields.boolean("external_web_access");
        let mut filters = fields.object("filters").unwrap_or_default();
        Some(Self {
            allowed_domains: fields
                .raw("allowed_domains")
                .or_else(|| filters.raw("allowed_domains")),
            blocked_domains: fields
                .raw("blocked_domains")
                .or_else(|| filters.raw("blocked_domains")),
            user_location: fields.raw("user_location"),
            rest: fields.rest(),
        })
    }

    fn note(&self, losses: &mut Losses, also: &[(&str, &Option<Raw>)]) {
        let given = also.iter().filter(|(_, value)| value.is_some()).map(|(key, _)| *key);
        for key in self.rest.keys().chain(given) {
            losses.hint(&format!("tools.web_search.{key}"));
        }
    }

    fn anthropic(&self, out: &mut Out) {
        out.text("type", "web_search_20250305");
        out.text("name", "web_search");
        // Only one of the two may be given.
        let blocked = self.blocked_domains.as_ref().filter(|_| self.allowed_domains.is_none());
        let members = [
            ("allowed_domains", self.allowed_domains.as_ref()),
            ("blocked_domains", blocked),
            ("user_location", self.user_location.as_ref()),
        ];
        for (key, value) in members {
            value.iter().for_each(|value| out.raw(key, value.as_str()));
        }
    }

    fn responses(&self, out: &mut Out) {
        out.text("type", "web_search");
        let filters = [
            ("allowed_domains", &self.allowed_domains),
            ("blocked_domains", &self.blocked_domains),
        ];
        if filters.iter().any(|(_, value)| value.is_some()) {
            out.member("filters", |out| {
                for (key, value) in filters {
                    value.iter().for_each(|value| out.raw(key, value.as_str()));
                }
            });
        }
        self.user_location.iter().for_each(|value| out.raw("user_location", value.as_str()));
    }
}

/// The search as a provider of the dialect knows it; `None` where it knows none.
pub(crate) fn search(
    tool: &Tool,
    dialect: &str,
    with_functions: bool,
    losses: &mut Losses,
) -> Option<Raw> {
    let search = Search::read(tool)?;
    let limits = [
        ("allowed_domains", &search.allowed_domains),
        ("blocked_domains", &search.blocked_domains),
    ];
    let said = match dialect {
        "anthropic_messages" | "anthropic_vertex" => {
            search.note(losses, &[]);
            Out::object(|out| search.anthropic(out))
        }
        "openai_responses" => {
            search.note(losses, &[]);
            Out::object(|out| search.responses(out))
        }
        // Most models take searches or functions, not both; where to search cannot be said.
        "gemini" if !with_functions && limits.iter().all(|(_, value)| value.is_none()) => {
            search.note(losses, &[("user_location", &search.user_location)]);
            Out::object(|out| out.member("googleSearch", |_| {}))
        }
        _ => return None,
    };
    losses.emulated("tools.web_search");
    Some(Raw::new(&String::from_utf8_lossy(&said)))
}
