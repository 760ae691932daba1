//! Configurations, good and bad, and what is said of them.

use super::*;

struct Nothing;

impl Surroundings for Nothing {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> Result<String, String> {
        Err("no files here".to_owned())
    }
}

fn read(text: &str) -> Result<Config, String> {
    Config::read(text, "bursar.yaml", |_| (), &Nothing).map_err(|e| e.to_string())
}

#[test]
fn an_empty_file_is_a_node_alone_on_loopback() {
    let config = read("# nothing\n").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.admin.listen.to_string(), "127.0.0.1:8081");
    assert_eq!(config.peer.advertise, "127.0.0.1:8082");
    assert_eq!(config.gossip.advertise, "127.0.0.1:8083");
    assert_eq!(config.drain.delay, Duration::from_secs(15));
    assert_eq!(config.drain.timeout, Duration::from_secs(600));
    assert_eq!(config.http.budget_exceeded_status, 402);
    assert!(config.admin.token.is_none());
    assert_eq!(config.log.level, "info,openraft=warn,chitchat=warn,sled=warn");
}

#[test]
fn a_whole_cluster_node_is_read() {
    let secret = "ab".repeat(32);
    let config = read(&format!(
        "label: n1\nlisten: 0.0.0.0:80\nthreads: 3\nseeds: [a:8083, 'b:8083,c:8083']\nbootstrap_expect: 3\n\
         admin:\n  listen: 0.0.0.0:81\n  token: 0123456789abcdef\npeer:\n  listen: 0.0.0.0:82\n  advertise: n1:82\n\
         gossip:\n  listen: 0.0.0.0:83\n  advertise: n1:83\n\
         secrets:\n  cluster: {secret}\n  key_encryption_key: {secret}\ndrain:\n  delay: 100ms\nlog:\n  format: text\n"
    ))
    .unwrap();
    assert_eq!(config.seeds, ["a:8083", "b:8083", "c:8083"]);
    assert_eq!(config.threads, 3);
    assert_eq!(config.bootstrap_expect, Some(3));
    assert_eq!(config.drain.delay, Duration::from_millis(100));
    assert_eq!(config.log.format, LogFormat::Text);
}

#[test]
fn flags_win_over_the_file() {
    let flags = |file: &mut File| file.listen = Some(Setting::flag("127.0.0.1:1"));
    let config = Config::read("listen: 127.0.0.1:2", "f", flags, &Nothing).unwrap();
    assert_eq!(config.listen.port(), 1);
}

#[test]
fn errors_name_the_line_and_what_to_do() {
    let secret = "ab".repeat(32);
    let golden: &[(&str, &str)] = &[
        (
            "label: a\nadmin:\n  tokn: x\n",
            "bursar.yaml:3: tokn: unknown field, did you mean token?",
        ),
        (
            "label: a\nzzz: 1\n",
            "bursar.yaml:2: zzz: unknown field, expected one of cluster_name, label, data_dir, listen, base_url, \
             threads, seeds, bootstrap_expect, admin, peer, gossip, secrets, drain, http, log, metrics",
        ),
        ("\nlisten: nowhere\n", "bursar.yaml:2: listen: invalid socket address syntax"),
        (
            "drain:\n  delay: 15\n",
            "bursar.yaml:2: drain.delay: \"15\" is no length of time: write 500ms, 15s, 10m or 2h",
        ),
        (
            "admin:\n  token: ${env:ADMIN_TOKEN}\n",
            "bursar.yaml:2: admin.token: environment variable ADMIN_TOKEN is not set: set it, or write \
             ${env:ADMIN_TOKEN:-default}",
        ),
        (
            "admin:\n  listen: 0.0.0.0:8081\n",
            "bursar.yaml: admin.token: must be set, because admin.listen is 0.0.0.0:8081, which others can reach",
        ),
        (
            "admin:\n  token: short\n",
            "bursar.yaml: admin.token: is shorter than 16 characters: draw one with `openssl rand -hex 32`",
        ),
        (
            "bootstrap_expect: 3\n",
            "bursar.yaml: bootstrap_expect: 3 nodes cannot find each other without seeds: list them under seeds",
        ),
        (
            "peer:\n  listen: 0.0.0.0:8082\n",
            "bursar.yaml: peer.advertise: must be set, because peer.listen is 0.0.0.0:8082: give the host:port \
             under which other nodes reach this one",
        ),
        (
            "secrets:\n  cluster: abc\n",
            "bursar.yaml: secrets.cluster: is not 64 hexadecimal digits: draw one with `openssl rand -hex 32`",
        ),
        (
            "http:\n  budget_exceeded_status: 418\n",
            "bursar.yaml: http.budget_exceeded_status: 418 is neither 402 nor 429",
        ),
        (
            "base_url: gateway:8080\n",
            "bursar.yaml: base_url: \"gateway:8080\" is no URL: write it as https://host:port",
        ),
        (
            "log:\n  level: info,x=loud\n",
            "bursar.yaml: log.level: \"info,x=loud\" is no list of levels: error parsing level filter: expected one of \
             \"off\", \"error\", \"warn\", \"info\", \"debug\", \"trace\", or a number 0-5",
        ),
        ("http:\n  body_bytes_max: 0\n", "bursar.yaml: http.body_bytes_max: must be at least 1"),
        (
            &format!(
                "seeds: ['a:1']\ndata_dir: /nowhere\nadmin: {{token: 0123456789abcdef}}\nsecrets: {{cluster: {secret}}}\n"
            ),
            "bursar.yaml: secrets.key_encryption_key: must be set, because there are seeds: all nodes of a cluster \
             share it; `bursar init` draws one",
        ),
        ("seeds: [a]\ndata_dir: /nowhere\n", "bursar.yaml: seeds[0]: \"a\" is no host:port"),
    ];
    for (text, expected) in golden {
        let said = read(text).expect_err(text);
        assert_eq!(said.lines().next(), Some(*expected), "{text}");
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    let said = read("listen: x\nthreads: 0\ngossip:\n  listen: y\n").unwrap_err();
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[test]
fn broken_yaml_is_told_with_its_line() {
    let said = read("label: [a\n").unwrap_err();
    assert!(said.starts_with("bursar.yaml:"), "{said}");
}

#[test]
fn the_committed_schema_is_the_one_the_code_makes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
    if std::env::var_os("BURSAR_BLESS").is_some() {
        std::fs::write(path, schema()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == schema(),
        "node/config.schema.json is out of date: run `cargo run -- config schema > node/config.schema.json`"
    );
}
