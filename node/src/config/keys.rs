//! The node's own secrets: from the configuration, or drawn into the data directory on the first start.

use super::Config;
use crate::vault::{Secret, hex, random, unhex_32};
use anyhow::Context;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The secrets one node runs with.
pub struct Keys {
    /// Admits nodes to the cluster.
    pub cluster: Zeroizing<[u8; 32]>,
    /// Seals provider credentials.
    pub key_encryption: Zeroizing<[u8; 32]>,
    /// Admits operators.
    pub admin_token: Secret,
    /// Files drawn just now, for the log.
    pub drawn: Vec<PathBuf>,
}

impl Keys {
    /// Takes secrets from the configuration, else from the data directory, else draws them there.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or written, or does not hold a secret.
    pub fn gather(config: &Config) -> anyhow::Result<Self> {
        let dir = config.data_dir.join("secrets");
        let mut drawn = Vec::new();
        let cluster = match &config.secrets.cluster {
            Some(given) => given.clone(),
            None => kept(&dir, "cluster", &mut drawn)?,
        };
        let key_encryption = match &config.secrets.key_encryption_key {
            Some(given) => given.clone(),
            None => kept(&dir, "key-encryption-key", &mut drawn)?,
        };
        let admin_token = match &config.admin.token {
            Some(given) => given.clone(),
            None => kept(&dir, "admin-token", &mut drawn)?,
        };
        Ok(Self {
            cluster: bytes(&cluster).context("the cluster secret is not 64 hexadecimal digits")?,
            key_encryption: bytes(&key_encryption)
                .context("the key-encryption key is not 64 hexadecimal digits")?,
            admin_token,
            drawn,
        })
    }
}

/// Whether the data directory holds a secret of this name already.
pub(super) fn is_kept(data_dir: &Path, name: &str) -> bool {
    data_dir.join("secrets").join(name).exists()
}

/// A new secret: 64 hexadecimal digits.
pub fn draw() -> Secret {
    Secret::new(hex(&random::<32>()))
}

/// Writes a secret to a new file that only its owner can read.
///
/// # Errors
///
/// Where the file exists already or cannot be written.
pub fn write_new(path: &Path, secret: &Secret) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(dir)?;
    }
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{}", secret.expose())?;
    file.sync_all()
}

/// The secret kept under `name`, drawn where there is none.
fn kept(dir: &Path, name: &str, drawn: &mut Vec<PathBuf>) -> anyhow::Result<Secret> {
    let path = dir.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let text = text.trim().to_owned();
            anyhow::ensure!(
                !text.is_empty(),
                "{} is empty: restore it from a backup",
                path.display()
            );
            Ok(Secret::new(text))
        }
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let secret = draw();
            write_new(&path, &secret)
                .with_context(|| format!("cannot write {}", path.display()))?;
            drawn.push(path);
            Ok(secret)
        }
        Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn bytes(secret: &Secret) -> Option<Zeroizing<[u8; 32]>> {
    unhex_32(secret.expose()).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn secrets_are_drawn_once_and_only_their_owner_can_read_them() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::alone(dir.path());
        let first = Keys::gather(&config).unwrap();
        let second = Keys::gather(&config).unwrap();
        assert_eq!(first.drawn.len(), 3);
        assert!(second.drawn.is_empty());
        assert_eq!(first.cluster, second.cluster);
        assert_eq!(first.key_encryption, second.key_encryption);
        assert!(first.admin_token == second.admin_token);
        for path in &first.drawn {
            let mode = std::fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    }

    #[test]
    fn an_emptied_secret_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::alone(dir.path());
        let drawn = Keys::gather(&config).unwrap().drawn;
        std::fs::write(&drawn[0], "").unwrap();
        let error = Keys::gather(&config).err().unwrap().to_string();
        assert!(error.contains("is empty"), "{error}");
    }
}
