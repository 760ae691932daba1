//! TLS towards providers.

use super::client::{ask, chat, once};
use super::node::{TestNode, USD};
use super::upstream::{answer, json};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/plane/testdata").join(name)
}

/// A provider behind TLS that answers every read with the same answer.
async fn secured() -> SocketAddr {
    let chain = vec![CertificateDer::from_pem_file(testdata("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(testdata("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A caller that does not trust it hangs up.
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {
                    stream.write_all(&json("200 OK", &answer(7, 3))).await.unwrap();
                    stream.flush().await.unwrap();
                }
            });
        }
    });
    addr
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_reached_over_tls_only_if_its_certificate_is_trusted() {
    let addr = secured().await;
    for (trusted, host, status) in
        [(true, "localhost", 200), (true, "127.0.0.1", 200), (false, "localhost", 502)]
    {
        let node = TestNode::start_with(|settings| {
            settings.extra_roots = trusted.then(|| testdata("ca.pem"));
        })
        .await;
        node.provider("up", &format!("https://{host}:{}/v1", addr.port())).await;
        let key = node.key("k", USD).await;
        let answer = once(node.addr, &chat(&key, &ask("up/m", r#","max_tokens":5"#))).await;
        assert_eq!(answer.status, status, "{trusted} {host} {answer:?}");
        assert_eq!(node.spent().await, if trusted { 19_000 } else { 0 });
        node.stop().await;
    }
}
