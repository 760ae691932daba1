//! nginx before the same provider, as the measure of what a proxy must cost.

use anyhow::{Context, Result, bail};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// A running nginx with one worker; it ends with this value.
pub(crate) struct Nginx {
    pub(crate) authority: String,
    _child: Child,
    _dir: TempDir,
}

impl Nginx {
    /// Starts nginx with connection reuse on both sides and answers passed on as they come.
    pub(crate) async fn start(provider: &str) -> Result<Nginx> {
        let dir = tempfile::tempdir()?;
        let port = free_port().await?;
        let conf = dir.path().join("nginx.conf");
        std::fs::write(&conf, configuration(dir.path().to_str().context("path")?, port, provider))?;
        // In the foreground and without a master, so that it ends with us and its CPU is one process.
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&conf)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run nginx: scripts/install-tools installs it")?;
        let authority = format!("127.0.0.1:{port}");
        wait_for(&authority).await?;
        Ok(Nginx { authority, _child: child, _dir: dir })
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        self._child.id().context("nginx has ended")
    }
}

fn configuration(dir: &str, port: u16, provider: &str) -> String {
    format!(
        "daemon off; master_process off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
        events {{ worker_connections 1024; }}
        http {{
          access_log off; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
          fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
          keepalive_requests 10000000; tcp_nodelay on; client_body_buffer_size 64k;
          upstream provider {{ server {provider}; keepalive 256; keepalive_requests 10000000; }}
          server {{
            listen 127.0.0.1:{port};
            location / {{
              proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection \"\";
              proxy_buffering off;
            }}
          }}
        }}"
    )
}

async fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port())
}

async fn wait_for(authority: &str) -> Result<()> {
    for _ in 0..500 {
        if TcpStream::connect(authority).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    bail!("nginx does not listen on {authority}")
}
