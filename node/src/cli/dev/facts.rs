//! What a user needs to know once all is ready.

use std::io::Write as _;

use anyhow::{Context, Result};
use serde::Serialize;

use super::children::Children;
use super::layout::Layout;

/// The facts, in the shape of `-o json`.
#[derive(Serialize)]
pub(super) struct Facts {
    nodes: Vec<NodeFacts>,
    virtual_key: String,
    admin_token: String,
    provider_url: String,
    data_dir: String,
    #[serde(skip)]
    models: Vec<String>,
}

#[derive(Serialize)]
struct NodeFacts {
    id: String,
    base_url: String,
    admin_url: String,
    pid: u32,
}

impl Facts {
    pub(super) fn new(
        layout: &Layout,
        children: &Children,
        virtual_key: String,
        provider: super::setup::Registered,
    ) -> Result<Facts> {
        let nodes = layout.nodes.iter().map(|node| {
            let pid = children
                .pid(&node.name)
                .with_context(|| format!("{} is not running", node.name))?;
            let (base_url, admin_url) = (node.base_url(), node.admin_url());
            Ok(NodeFacts { id: node.name.clone(), base_url, admin_url, pid })
        });
        Ok(Facts {
            nodes: nodes.collect::<Result<_>>()?,
            virtual_key,
            admin_token: layout.state.admin_token.clone(),
            provider_url: provider.url,
            data_dir: layout.root.display().to_string(),
            models: provider.models,
        })
    }

    pub(super) fn print_json(&self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        serde_json::to_writer(&mut out, self)?;
        writeln!(out)?;
        Ok(out.flush()?)
    }

    pub(super) fn print_text(&self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nReady. Any node answers; all of them share one budget.\n")?;
        for NodeFacts { id, base_url, admin_url, pid } in &self.nodes {
            writeln!(out, "  {id}       {base_url}/v1   admin {admin_url}   pid {pid}")?;
        }
        writeln!(out, "  provider     {}", self.provider_url)?;
        writeln!(out, "  models       {}", self.models.join(", "))?;
        writeln!(out, "  virtual key  {}", self.virtual_key)?;
        writeln!(out, "  admin token  {}", self.admin_token)?;
        writeln!(out, "  data         {}", self.data_dir)?;
        writeln!(out, "\nWith curl:\n\n{}", self.curl())?;
        writeln!(
            out,
            "With Python (needs no package; an OpenAI SDK takes the same URL and key):\n\n{}",
            self.python()
        )?;
        writeln!(out, "Ctrl-C stops everything.")?;
        Ok(out.flush()?)
    }

    fn curl(&self) -> String {
        format!(
            "curl {url}/v1/chat/completions \\
  -H 'Authorization: Bearer {key}' \\
  -H 'Content-Type: application/json' \\
  -d '{{\"model\": \"chat\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}], \"max_tokens\": 100}}'
",
            url = self.first_url(),
            key = self.virtual_key,
        )
    }

    /// Works in a shell; the part between the marks works in a file too.
    fn python(&self) -> String {
        format!(
            "python3 - <<'END'
import json, urllib.request
request = urllib.request.Request(
    \"{url}/v1/chat/completions\",
    json.dumps({{\"model\": \"chat\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}], \"max_tokens\": 100}}).encode(),
    {{\"Authorization\": \"Bearer {key}\", \"Content-Type\": \"application/json\"}},
)
print(json.load(urllib.request.urlopen(request))[\"choices\"][0][\"message\"][\"content\"])
END
",
            url = self.first_url(),
            key = self.virtual_key,
        )
    }

    fn first_url(&self) -> &str {
        self.nodes.first().map_or("", |node| node.base_url.as_str())
    }
}
