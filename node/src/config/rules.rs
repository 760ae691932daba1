//! From what was written to what the node runs with: defaults, and what may not stand together.

use super::file::{self, File};
use super::setting::{Setting, Surroundings, Wrong};
use super::{Admin, Config, Drain, Gossip, Http, Log, LogFormat, Metrics, Peer, Secrets, keys};
use crate::telemetry;
use crate::vault::{Secret, unhex_32};
use std::fmt::Display;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Shortest admin token taken: shorter ones can be guessed.
const TOKEN_CHARS_MIN: usize = 16;

/// Resolves a file and checks it. Collects everything that is wrong, not just the first.
pub(super) fn check(file: &File, from: &dyn Surroundings) -> Result<Config, Vec<Wrong>> {
    let mut reader = Reader { from, wrong: Vec::new() };
    let config = reader.config(file);
    reader.refuse_unsafe(&config);
    match reader.wrong.is_empty() {
        true => Ok(config),
        false => Err(reader.wrong),
    }
}

struct Reader<'a> {
    from: &'a dyn Surroundings,
    wrong: Vec<Wrong>,
}

impl Reader<'_> {
    fn config(&mut self, file: &File) -> Config {
        let listen = self.or(&file.listen, "listen", loopback(8080));
        let data_dir = self.or(&file.data_dir, "data_dir", PathBuf::from("bursar-data"));
        Config {
            cluster_name: self.or(&file.cluster_name, "cluster_name", "bursar".to_owned()),
            label: self.or_else(&file.label, "label", host_name),
            listen,
            base_url: self.url(&file.base_url, "base_url"),
            threads: self.or_else(&file.threads, "threads", cores),
            seeds: self.seeds(&file.seeds),
            bootstrap_expect: self.some(&file.bootstrap_expect, "bootstrap_expect"),
            admin: self.admin(&file.admin),
            peer: self.peer(&file.peer),
            gossip: self.gossip(&file.gossip),
            secrets: self.secrets(&file.secrets),
            drain: self.drain(&file.drain),
            http: self.http(&file.http),
            log: self.log(&file.log),
            metrics: self.metrics(&file.metrics),
            data_dir,
        }
    }

    fn seeds(&mut self, seeds: &[Setting<String>]) -> Vec<String> {
        let mut hosts = Vec::new();
        for (nth, seed) in seeds.iter().enumerate() {
            let path = format!("seeds[{nth}]");
            let Some(text) = self.read(seed, &path) else {
                continue;
            };
            // One reference may hold the whole list: SEEDS=a:8083,b:8083.
            for host in text.split(',').map(str::trim).filter(|h| !h.is_empty()) {
                self.host_port(&path, host);
                hosts.push(host.to_owned());
            }
        }
        hosts
    }

    fn admin(&mut self, file: &file::Admin) -> Admin {
        Admin {
            listen: self.or(&file.listen, "admin.listen", loopback(8081)),
            url: self.url(&file.url, "admin.url"),
            token: self.some(&file.token, "admin.token").map(Secret::new),
        }
    }

    fn peer(&mut self, file: &file::Peer) -> Peer {
        let listen = self.or(&file.listen, "peer.listen", loopback(8082));
        Peer { listen, advertise: self.advertise(&file.advertise, "peer", listen) }
    }

    fn gossip(&mut self, file: &file::Gossip) -> Gossip {
        let listen = self.or(&file.listen, "gossip.listen", loopback(8083));
        Gossip { listen, advertise: self.advertise(&file.advertise, "gossip", listen) }
    }

    fn advertise(
        &mut self,
        setting: &Option<Setting<String>>,
        side: &str,
        listen: SocketAddr,
    ) -> String {
        let path = format!("{side}.advertise");
        match self.some(setting, &path) {
            Some(host) => {
                self.host_port(&path, &host);
                host
            }
            None => {
                if listen.ip().is_unspecified() {
                    self.refuse(&path, format!(
                        "must be set, because {side}.listen is {listen}: give the host:port under which other nodes reach this one"
                    ));
                }
                listen.to_string()
            }
        }
    }

    fn secrets(&mut self, file: &file::Secrets) -> Secrets {
        Secrets {
            cluster: self.hexadecimal(&file.cluster, "secrets.cluster"),
            key_encryption_key: self
                .hexadecimal(&file.key_encryption_key, "secrets.key_encryption_key"),
        }
    }

    fn hexadecimal(&mut self, setting: &Option<Setting<String>>, path: &str) -> Option<Secret> {
        let text = self.some(setting, path)?;
        if unhex_32(&text).is_none() {
            self.refuse(
                path,
                "is not 64 hexadecimal digits: draw one with `openssl rand -hex 32`".to_owned(),
            );
        }
        Some(Secret::new(text))
    }

    fn drain(&mut self, file: &file::Drain) -> Drain {
        let span = |secs| super::Span(Duration::from_secs(secs));
        Drain {
            delay: self.or(&file.delay, "drain.delay", span(15)).0,
            timeout: self.or(&file.timeout, "drain.timeout", span(600)).0,
        }
    }

    fn http(&mut self, file: &file::Http) -> Http {
        let status = self.or(&file.budget_exceeded_status, "http.budget_exceeded_status", 402);
        if !matches!(status, 402 | 429) {
            self.refuse("http.budget_exceeded_status", format!("{status} is neither 402 nor 429"));
        }
        let body_bytes_max = self.or(&file.body_bytes_max, "http.body_bytes_max", 20 << 20);
        if body_bytes_max == 0 {
            self.refuse("http.body_bytes_max", "must be at least 1".to_owned());
        }
        Http {
            body_bytes_max,
            upload_bytes_max: self.or(&file.upload_bytes_max, "http.upload_bytes_max", 512 << 20),
            response_headers: self.or(&file.response_headers, "http.response_headers", true),
            budget_exceeded_status: status,
            extra_root_certificates: self
                .some(&file.extra_root_certificates, "http.extra_root_certificates"),
        }
    }

    fn metrics(&mut self, file: &file::Metrics) -> Metrics {
        let tenant_labels = self.or(&file.tenant_labels, "metrics.tenant_labels", false);
        Metrics { tenant_labels }
    }

    fn log(&mut self, file: &file::Log) -> Log {
        let format = match self.some(&file.format, "log.format").as_deref() {
            Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            None if std::io::stderr().is_terminal() => LogFormat::Text,
            None => LogFormat::Json,
            Some(other) => {
                self.refuse("log.format", format!("{other:?} is neither text nor json"));
                LogFormat::Json
            }
        };
        let level = self.or(&file.level, "log.level", "info".to_owned());
        if let Err(error) = telemetry::check(&level) {
            self.refuse("log.level", format!("{level:?} is no list of levels: {error}"));
        }
        Log { level: quieter(level), format }
    }

    /// What would start and then be unsafe, or never become a cluster.
    fn refuse_unsafe(&mut self, config: &Config) {
        if config.threads == 0 {
            self.refuse("threads", "must be at least 1".to_owned());
        }
        self.refuse_without_token(config);
        if !config.seeds.is_empty() {
            self.refuse_unshared(config);
        }
        match config.bootstrap_expect {
            Some(0) => self.refuse("bootstrap_expect", "must be at least 1".to_owned()),
            Some(many) if many > 1 && config.seeds.is_empty() => self.refuse(
                "bootstrap_expect",
                format!("{many} nodes cannot find each other without seeds: list them under seeds"),
            ),
            Some(_) | None => {}
        }
    }

    fn refuse_without_token(&mut self, config: &Config) {
        let listen = config.admin.listen;
        match &config.admin.token {
            None if !listen.ip().is_loopback() => self.refuse(
                "admin.token",
                format!("must be set, because admin.listen is {listen}, which others can reach"),
            ),
            Some(token) if token.expose().len() < TOKEN_CHARS_MIN => self.refuse(
                "admin.token",
                format!("is shorter than {TOKEN_CHARS_MIN} characters: draw one with `openssl rand -hex 32`"),
            ),
            Some(_) | None => {}
        }
    }

    fn refuse_unshared(&mut self, config: &Config) {
        let shared = [
            ("secrets.cluster", "cluster", config.secrets.cluster.is_some()),
            (
                "secrets.key_encryption_key",
                "key-encryption-key",
                config.secrets.key_encryption_key.is_some(),
            ),
            ("admin.token", "admin-token", config.admin.token.is_some()),
        ];
        for (path, file, given) in shared {
            if !given && !keys::is_kept(&config.data_dir, file) {
                self.refuse(
                    path,
                    "must be set, because there are seeds: all nodes of a cluster share it; `bursar init` draws one".to_owned(),
                );
            }
        }
    }

    fn host_port(&mut self, path: &str, text: &str) {
        let well_formed = text
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if !well_formed {
            self.refuse(path, format!("{text:?} is no host:port"));
        }
    }

    fn url(&mut self, setting: &Option<Setting<String>>, path: &str) -> Option<String> {
        let text = self.some(setting, path)?;
        let uri: Option<http::Uri> = text.parse().ok();
        let fits = uri.is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
        });
        if !fits {
            self.refuse(path, format!("{text:?} is no URL: write it as https://host:port"));
        }
        Some(text)
    }

    fn refuse(&mut self, path: &str, say: String) {
        self.wrong.push(Wrong { path: path.to_owned(), line: 0, say });
    }

    fn some<T>(&mut self, setting: &Option<Setting<T>>, path: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        setting.as_ref().and_then(|setting| self.read(setting, path))
    }

    fn read<T>(&mut self, setting: &Setting<T>, path: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        setting.resolve(path, self.from).map_err(|wrong| self.wrong.push(wrong)).ok()
    }

    fn or<T>(&mut self, setting: &Option<Setting<T>>, path: &str, default: T) -> T
    where
        T: FromStr,
        T::Err: Display,
    {
        self.some(setting, path).unwrap_or(default)
    }

    fn or_else<T>(&mut self, setting: &Option<Setting<T>>, path: &str, default: fn() -> T) -> T
    where
        T: FromStr,
        T::Err: Display,
    {
        self.some(setting, path).unwrap_or_else(default)
    }
}

/// The libraries below us tell at `info` what we tell at `debug`: they are taken from `warn` on, unless
/// the operator asks for more than `info` or names targets.
fn quieter(level: String) -> String {
    match level.as_str() {
        "info" => "info,openraft=warn,chitchat=warn,sled=warn".to_owned(),
        _ => level,
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn host_name() -> String {
    std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname"))
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "node".to_owned())
}
