//! As much of an HTTP/1.1 client as a load generator needs: one connection, prebuilt requests, and
//! knowing where an answer ends. Anything unexpected fails the run.

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One kept-alive connection.
pub(crate) struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(authority: &str) -> Result<Connection> {
        let socket = TcpStream::connect(authority).await.with_context(|| authority.to_owned())?;
        socket.set_nodelay(true)?;
        Ok(Connection { socket, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request and reads its answer to the end; an answer other than 200 is an error.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<()> {
        self.buffer.clear();
        self.socket.write_all(request).await?;
        let head_bytes = self.read_head().await?;
        let head = String::from_utf8_lossy(&self.buffer[..head_bytes]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap_or_default();
        if status != "200" {
            bail!("answered {status}: {}", String::from_utf8_lossy(&self.buffer));
        }
        match header(&head, "content-length") {
            Some(length) => {
                let end = head_bytes + length.parse::<usize>().context("content-length")?;
                while self.buffer.len() < end {
                    self.read_more().await?;
                }
            }
            None => {
                ensure!(
                    header(&head, "transfer-encoding") == Some("chunked"),
                    "no framing: {head}"
                );
                while !ends_chunked(&self.buffer[head_bytes..]) {
                    self.read_more().await?;
                }
            }
        }
        Ok(())
    }

    async fn read_head(&mut self) -> Result<usize> {
        loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                return Ok(at + 4);
            }
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> Result<()> {
        let read = self.socket.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the connection was closed in the middle of an answer");
        Ok(())
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// The last chunk is empty. The bodies of these benchmarks hold no such line themselves.
fn ends_chunked(body: &[u8]) -> bool {
    body.ends_with(b"\r\n0\r\n\r\n")
}
