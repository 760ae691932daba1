//! What is laid out before anything is started.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::Parser;

use super::Dev;
use super::layout::Layout;
use crate::config::{Config, Process};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    dev: Dev,
}

fn prepare(data_dir: &Path, more: &[&str]) -> anyhow::Result<Layout> {
    let fixed = ["dev", "--data-dir", data_dir.to_str().unwrap()];
    let line = Line::try_parse_from(fixed.iter().chain(more)).unwrap();
    Layout::prepare(&line.dev)
}

#[test]
fn an_amount_that_is_none_is_refused_before_anything_is_started() {
    assert!(Line::try_parse_from(["dev", "--budget-usd", "0.25"]).is_ok());
    let refused = Line::try_parse_from(["dev", "--budget-usd", "x"]).err().unwrap().to_string();
    assert!(refused.contains("write it as 12 or 0.25"), "{refused}");
}

#[test]
fn each_node_gets_a_file_it_can_start_with() {
    let directory = tempfile::tempdir().unwrap();
    let layout = prepare(&directory.path().join("dev"), &["--drain-delay", "3s"]).unwrap();
    let mut seen = BTreeSet::new();
    for node in &layout.nodes {
        let text = std::fs::read_to_string(&node.config).unwrap();
        let config = Config::read(&text, &node.name, |_| (), &Process).unwrap();
        assert_eq!(config.label, node.name);
        assert_eq!(config.seeds.len(), 3);
        assert_eq!(config.bootstrap_expect, Some(3));
        assert_eq!(config.drain.delay.as_secs(), 3);
        assert_eq!(config.admin.token.unwrap().expose(), layout.state.admin_token);
        seen.extend([config.listen, config.admin.listen, config.peer.listen, config.gossip.listen]);
    }
    assert_eq!(seen.len(), 12, "no port is given twice");
}

#[test]
fn one_node_looks_for_no_others() {
    let directory = tempfile::tempdir().unwrap();
    let layout = prepare(&directory.path().join("dev"), &["--nodes", "1"]).unwrap();
    let text = std::fs::read_to_string(&layout.nodes[0].config).unwrap();
    let config = Config::read(&text, "", |_| (), &Process).unwrap();
    assert_eq!((config.seeds.len(), config.bootstrap_expect), (0, None));
}

#[test]
fn a_restart_finds_the_same_ports_and_secrets_and_only_their_owner_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("dev");
    let first = prepare(&root, &[]).unwrap();
    let second = prepare(&root, &[]).unwrap();
    assert_eq!(first.state.admin_token, second.state.admin_token);
    let urls =
        |layout: &Layout| layout.nodes.iter().map(|node| node.admin_url()).collect::<Vec<_>>();
    assert_eq!(urls(&first), urls(&second));
    for secret in ["dev.json", "secrets/admin-token", "secrets/cluster"] {
        let mode = std::fs::metadata(root.join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
}

#[test]
fn ports_may_be_fixed() {
    let directory = tempfile::tempdir().unwrap();
    let layout = prepare(&directory.path().join("dev"), &["--base-port", "7100"]).unwrap();
    assert_eq!(layout.nodes[2].base_url(), "http://127.0.0.1:7120");
    assert_eq!(layout.simulator_address().port(), 7130);
}

#[test]
fn a_directory_of_somebody_else_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("precious"), "").unwrap();
    let refused = prepare(directory.path(), &[]).err().unwrap().to_string();
    assert!(refused.contains("is not empty and holds no cluster"), "{refused}");
    let root = directory.path().join("dev");
    prepare(&root, &[]).unwrap();
    let refused = prepare(&root, &["--nodes", "1"]).err().unwrap().to_string();
    assert!(refused.contains("pass --nodes 3"), "{refused}");
}
