//! `bursar init`: configuration and secrets for one node or several.

use super::out;
use crate::config::{draw, write_new};
use anyhow::{Context, bail};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};

/// Writes configuration files and draws the secrets that the nodes share.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar init                                            one node in ./bursar
  bursar init --dir cluster --nodes 3                    three nodes on this machine
  bursar init --dir cluster --host 10.0.0.1 --host 10.0.0.2 --host 10.0.0.3   one node on each host")]
pub(super) struct Init {
    /// Where the files go. Must not hold a configuration yet.
    #[arg(long, default_value = "bursar")]
    dir: PathBuf,
    /// How many nodes on this machine, on loopback.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=9),
        conflicts_with = "host")]
    nodes: u16,
    /// Name or address of a host that runs a node, as the others reach it; once for each node.
    #[arg(long)]
    host: Vec<String>,
    /// Name of the cluster.
    #[arg(long, default_value = "bursar")]
    cluster_name: String,
}

/// One node to be written.
struct Planned {
    label: String,
    /// Host the node listens on, and host others reach it by.
    listen: String,
    advertise: String,
    /// Port for callers; operators, peers and gossip take the three after it.
    port: u16,
}

impl Init {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let nodes = self.plan();
        let secrets = self.dir.join("secrets");
        if secrets.exists() {
            bail!(
                "{} exists: these nodes have their secrets already; choose another --dir",
                secrets.display()
            );
        }
        for name in ["cluster", "key-encryption-key", "admin-token"] {
            let path = secrets.join(name);
            write_new(&path, &draw())
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let dir = fs::canonicalize(&self.dir)?;
        for node in &nodes {
            let path = self.file(node);
            fs::write(&path, self.config(node, &nodes, &dir))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        out::text(&self.next_steps(&nodes, &dir))
    }

    fn plan(&self) -> Vec<Planned> {
        if self.host.is_empty() {
            let node = |number: u16| Planned {
                label: format!("node-{number}"),
                listen: "127.0.0.1".to_owned(),
                advertise: "127.0.0.1".to_owned(),
                port: 8080 + (number - 1) * 10,
            };
            return (1..=self.nodes).map(node).collect();
        }
        let node = |(nth, host): (usize, &String)| Planned {
            label: format!("node-{}", nth + 1),
            listen: "0.0.0.0".to_owned(),
            advertise: host.clone(),
            port: 8080,
        };
        self.host.iter().enumerate().map(node).collect()
    }

    fn file(&self, node: &Planned) -> PathBuf {
        self.dir.join(format!("{}.yaml", node.label))
    }

    fn config(&self, node: &Planned, nodes: &[Planned], dir: &Path) -> String {
        let Planned { label, listen, advertise, port } = node;
        let (admin, peer, gossip) = (port + 1, port + 2, port + 3);
        let (name, dir) = (&self.cluster_name, dir.display());
        let mut text = format!(
            "# One node of the cluster. `bursar config schema` says what else may be here.\n\
             cluster_name: {name:?}\nlabel: {label:?}\ndata_dir: \"{dir}/{label}-data\"\n\
             listen: {listen}:{port}\n\
             admin:\n  listen: {listen}:{admin}\n  token: ${{file:{dir}/secrets/admin-token}}\n\
             peer:\n  listen: {listen}:{peer}\n  advertise: {advertise}:{peer}\n\
             gossip:\n  listen: {listen}:{gossip}\n  advertise: {advertise}:{gossip}\n\
             secrets:\n  cluster: ${{file:{dir}/secrets/cluster}}\n  \
             key_encryption_key: ${{file:{dir}/secrets/key-encryption-key}}\n"
        );
        if listen != advertise {
            text.push_str(&format!("base_url: http://{advertise}:{port}\n"));
        }
        if nodes.len() > 1 {
            text.push_str(&format!("bootstrap_expect: {}\nseeds:\n", nodes.len()));
            for node in nodes {
                text.push_str(&format!("  - {}:{}\n", node.advertise, node.port + 3));
            }
        }
        text
    }

    fn next_steps(&self, nodes: &[Planned], dir: &Path) -> String {
        let mut text = format!("{} holds the configuration. Next:\n\n", self.dir.display());
        if self.host.is_empty() {
            for node in nodes {
                text.push_str(&format!(
                    "  bursar serve --config {} &\n",
                    self.file(node).display()
                ));
            }
        } else {
            // The files name their secrets by their whole path.
            text.push_str(&format!(
                "  copy {0} to {0} on each host: the secrets in it are the same for all\n",
                dir.display()
            ));
            for node in nodes {
                let (host, dir) = (&node.advertise, dir.display());
                text.push_str(&format!(
                    "  on {host}:  bursar serve --config {dir}/{}.yaml\n",
                    node.label
                ));
            }
        }
        let first = nodes.first().map_or(8081, |node| node.port + 1);
        let token = self.dir.join("secrets/admin-token");
        text.push_str(&format!(
            "  export BURSAR_ADMIN_URL=http://127.0.0.1:{first} BURSAR_ADMIN_TOKEN_FILE={}\n  \
             bursar status\n  \
             bursar providers put openai --base-url https://api.openai.com/v1 --secret-env OPENAI_API_KEY\n  \
             bursar keys create app --budget-usd 10 --budget-window month\n",
            token.display()
        ));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn written(nodes: u16, host: &[&str]) -> Vec<Config> {
        let root = tempfile::tempdir().unwrap();
        let init = Init {
            dir: root.path().join("c"),
            nodes,
            host: host.iter().map(|host| (*host).to_owned()).collect(),
            cluster_name: "test".to_owned(),
        };
        let files: Vec<PathBuf> = init.plan().iter().map(|node| init.file(node)).collect();
        init.run().unwrap();
        files.iter().map(|file| Config::load(Some(file), |_| ()).unwrap()).collect()
    }

    #[test]
    fn what_is_written_can_be_served() {
        assert!(written(1, &[])[0].seeds.is_empty());
        let three = written(3, &[]);
        assert_eq!(three[2].listen.port(), 8100);
        assert_eq!(three[0].seeds, ["127.0.0.1:8083", "127.0.0.1:8093", "127.0.0.1:8103"]);
        assert_eq!(three[0].bootstrap_expect, Some(3));
        let hosts = written(1, &["10.0.0.1", "10.0.0.2"]);
        assert_eq!(hosts[1].peer.advertise, "10.0.0.2:8082");
        assert!(hosts[1].secrets.cluster.is_some() && hosts[1].admin.token.is_some());
    }

    #[test]
    fn secrets_are_never_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let init = || Init {
            dir: root.path().to_owned(),
            nodes: 1,
            host: Vec::new(),
            cluster_name: "test".to_owned(),
        };
        init().run().unwrap();
        let error = init().run().unwrap_err().to_string();
        assert!(error.contains("choose another --dir"), "{error}");
    }
}
