//! Issuers' doubles, which check what they are asked.

use super::{Credential, Env, Family, Fetch, Issued, Keys, Kind, Refused};
use crate::vault::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const NOW_MS: u64 = 1_767_225_600_000;

/// A request, as it came.
#[derive(Debug)]
struct Asked {
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Asked {
    /// The fields of a form, decoded.
    fn form(&self) -> BTreeMap<String, String> {
        assert_eq!(self.headers["content-type"], "application/x-www-form-urlencoded");
        let pairs = self.body.split('&').map(|pair| pair.split_once('=').unwrap());
        pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let hex = std::str::from_utf8(&tail[..2]).unwrap();
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

async fn read(stream: &mut TcpStream) -> Asked {
    let mut bytes = Vec::new();
    let end = loop {
        let mut piece = [0; 1024];
        let count = stream.read(&mut piece).await.unwrap();
        assert_ne!(count, 0, "the request broke off");
        bytes.extend_from_slice(&piece[..count]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let pairs = lines.map(|line| line.split_once(": ").unwrap());
    let headers: BTreeMap<String, String> =
        pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let length = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        let mut piece = [0; 1024];
        let count = stream.read(&mut piece).await.unwrap();
        body.extend_from_slice(&piece[..count]);
    }
    Asked { line, headers, body: String::from_utf8(body).unwrap() }
}

/// Answers one request after another, with a head line or several and a body; gives what was asked.
async fn double(answers: Vec<(&'static str, String)>) -> (String, JoinHandle<Vec<Asked>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        let mut asked = Vec::new();
        for (head, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            asked.push(read(&mut stream).await);
            let length = body.len();
            let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    });
    (host, task)
}

fn env(pairs: &[(&str, &str)]) -> Env {
    let pairs: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Arc::new(move |name| pairs.get(name).cloned())
}

async fn issue(family: Family, setting: &str, env: Env) -> Result<Issued, Refused> {
    let kind = Kind::read(family, &Secret::new(setting.to_owned()), env).unwrap();
    kind.issue(&Fetch::new(None).unwrap(), NOW_MS).await
}

fn bearer(text: &str, lives_s: u64) -> Issued {
    let credential = Credential::Bearer(Secret::new(text.to_owned()));
    Issued { credential, expires_ms: Some(NOW_MS + lives_s * 1000) }
}

fn keys(expires_ms: Option<u64>) -> Issued {
    let credential = Credential::Aws(Keys {
        access_key_id: "ASIA1".to_owned(),
        secret_access_key: Secret::new("s/+".to_owned()),
        session_token: Some(Secret::new("tok==".to_owned())),
    });
    Issued { credential, expires_ms }
}

const DOCUMENT: &str = r#"{"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"s/+",
    "Token":"tok==","Expiration":"2026-01-01T01:00:00Z"}"#;

/// When [`DOCUMENT`] ends.
const DOCUMENT_MS: u64 = NOW_MS + 3_600_000;

#[tokio::test]
async fn a_service_account_signs_who_it_is_and_what_it_wants() {
    let pem = include_str!("../../testdata/google/account.pem");
    let token = r#"{"access_token":"ya29","expires_in":3599,"token_type":"Bearer"}"#;
    let (host, asked) = double(vec![("200 OK", token.to_owned())]).await;
    let account = json!({"type": "service_account", "client_email": "a@b.iam.example", "private_key": pem,
        "private_key_id": "k1", "token_uri": format!("http://{host}/token")});
    let issued = issue(Family::Google, &account.to_string(), env(&[])).await.unwrap();
    assert_eq!(issued, bearer("ya29", 3599));
    let asked = asked.await.unwrap();
    assert_eq!(asked[0].line, "POST /token HTTP/1.1");
    let form = asked[0].form();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (signed, signature) = form["assertion"].rsplit_once('.').unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    let part = |text: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    assert_eq!(part(head), json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
    let now_s = NOW_MS / 1000;
    let expected = json!({"iss": "a@b.iam.example", "aud": format!("http://{host}/token"),
        "scope": "https://www.googleapis.com/auth/cloud-platform", "iat": now_s, "exp": now_s + 3600});
    assert_eq!(part(claims), expected);
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let public: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).unwrap();
}

#[tokio::test]
async fn a_users_login_at_google_is_renewed() {
    let token = r#"{"access_token":"ya29","expires_in":10}"#;
    let (host, asked) = double(vec![("200 OK", token.to_owned())]).await;
    let login = json!({"type": "authorized_user", "client_id": "c", "client_secret": "&s", "refresh_token": "r+",
        "token_uri": format!("http://{host}/t")});
    let issued = issue(Family::Google, &login.to_string(), env(&[])).await.unwrap();
    assert_eq!(issued, bearer("ya29", 10));
    let form = asked.await.unwrap()[0].form();
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "c"),
        ("client_secret", "&s"),
        ("refresh_token", "r+"),
    ];
    assert!(
        fields.iter().all(|(name, value)| form[*name] == *value) && form.len() == 4,
        "{form:?}"
    );
}

#[tokio::test]
async fn googles_machines_ask_their_metadata_service_and_nobody_else() {
    let token = r#"{"access_token":"ya29","expires_in":60,"token_type":"Bearer"}"#.to_owned();
    let answers = vec![("200 OK\r\nMetadata-Flavor: Google", token.clone()), ("200 OK", token)];
    let (host, asked) = double(answers).await;
    let env = env(&[("GCE_METADATA_HOST", &host)]);
    assert_eq!(issue(Family::Google, "", env.clone()).await.unwrap(), bearer("ya29", 60));
    let refused = issue(Family::Google, "default", env).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("{host} is not Google's metadata service"));
    let asked = &asked.await.unwrap()[0];
    assert_eq!(
        asked.line,
        "GET /computeMetadata/v1/instance/service-accounts/default/token?scopes=\
         https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform HTTP/1.1"
    );
    assert_eq!(asked.headers["metadata-flavor"], "Google");
}

#[tokio::test]
async fn an_application_shows_entra_its_secret_or_its_platforms_token() {
    let token =
        r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"ey"}"#;
    let refusal =
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: secret s3 is wrong"}"#;
    let answers = [("200 OK", token), ("200 OK", token), ("401 Unauthorized", refusal)];
    let (host, asked) = double(answers.map(|(head, body)| (head, body.to_owned())).to_vec()).await;
    let app = json!({"tenant_id": "t", "client_id": "c", "client_secret": "s3", "authority": format!("http://{host}/")});
    assert_eq!(issue(Family::Entra, &app.to_string(), env(&[])).await.unwrap(), bearer("ey", 3599));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "platform\n").unwrap();
    let around = env(&[
        ("AZURE_AUTHORITY_HOST", &format!("http://{host}")),
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
    ]);
    assert_eq!(issue(Family::Entra, "", around).await.unwrap(), bearer("ey", 3599));
    let refused = issue(Family::Entra, &app.to_string(), env(&[])).await.unwrap_err();
    assert_eq!(refused.to_string(), "Entra answered 401: invalid_client");
    let asked = asked.await.unwrap();
    assert_eq!(asked[0].line, "POST /t/oauth2/v2.0/token HTTP/1.1");
    let scope = "https://cognitiveservices.azure.com/.default";
    let (first, second) = (asked[0].form(), asked[1].form());
    for form in [&first, &second] {
        assert_eq!(
            (form["grant_type"].as_str(), form["client_id"].as_str()),
            ("client_credentials", "c")
        );
        assert_eq!(form["scope"], scope);
    }
    assert_eq!(first["client_secret"], "s3");
    assert_eq!(second["client_assertion"], "platform");
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    assert_eq!(second["client_assertion_type"], kind);
}

#[tokio::test]
async fn azures_machines_ask_their_metadata_service() {
    let token =
        r#"{"access_token":"ey","expires_in":"86399","resource":"r","token_type":"Bearer"}"#;
    let (host, asked) = double(vec![("200 OK", token.to_owned())]).await;
    let around = env(&[
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", &format!("http://{host}")),
        ("AZURE_CLIENT_ID", "c"),
    ]);
    assert_eq!(issue(Family::Entra, "", around).await.unwrap(), bearer("ey", 86_399));
    let asked = &asked.await.unwrap()[0];
    assert_eq!(
        asked.line,
        "GET /metadata/identity/oauth2/token?api-version=2018-02-01&\
         resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=c HTTP/1.1"
    );
    assert_eq!(asked.headers["metadata"], "true");
}

#[tokio::test]
async fn keys_of_aws_are_those_given_or_those_of_the_environment() {
    let given =
        json!({"access_key_id": "ASIA1", "secret_access_key": "s/+", "session_token": "tok=="});
    assert_eq!(issue(Family::Aws, &given.to_string(), env(&[])).await.unwrap(), keys(None));
    let around = env(&[
        ("AWS_ACCESS_KEY_ID", "ASIA1"),
        ("AWS_SECRET_ACCESS_KEY", "s/+"),
        ("AWS_SESSION_TOKEN", "tok=="),
        ("AWS_ROLE_ARN", "unused"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"),
    ]);
    assert_eq!(issue(Family::Aws, "", around).await.unwrap(), keys(None));
    let wrong = Kind::read(Family::Aws, &Secret::new("{\"hush\":1}".to_owned()), env(&[]));
    assert!(!wrong.err().unwrap().contains("hush"));
}

#[tokio::test]
async fn a_profile_is_read_from_both_files() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join(".aws");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(
        home.join("config"),
        "[profile two]\nregion = x\n[profile sso]\nsso_session = a\n",
    )
    .unwrap();
    let text = "[two]\naws_access_key_id = ASIA1\naws_secret_access_key = s/+\naws_session_token = tok==\n";
    std::fs::write(home.join("credentials"), text).unwrap();
    let with = |name: &str| {
        let pairs = [("HOME", folder.path().to_str().unwrap()), ("AWS_PROFILE", name)];
        issue(Family::Aws, "", env(&pairs))
    };
    assert_eq!(with("two").await.unwrap(), keys(None));
    let refused = with("sso").await.unwrap_err().to_string();
    assert_eq!(refused, "profile sso gets its keys by sso_session, which is not supported");
    assert_eq!(with("none").await.unwrap_err().to_string(), "profile none holds no keys");
}

#[tokio::test]
async fn a_web_identity_takes_a_role_on() {
    let answer =
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">
        <AssumeRoleWithWebIdentityResult><Credentials><SessionToken>tok==</SessionToken>
        <SecretAccessKey>s/+</SecretAccessKey><Expiration>2026-01-01T01:00:00Z</Expiration>
        <AccessKeyId>ASIA1</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>
        </AssumeRoleWithWebIdentityResponse>";
    let refusal = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredTokenException</Code></Error></ErrorResponse>";
    let answers = vec![("200 OK", answer.to_owned()), ("400 Bad Request", refusal.to_owned())];
    let (host, asked) = double(answers).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "jwt.jwt\n").unwrap();
    let around = env(&[
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap()),
        ("AWS_ENDPOINT_URL_STS", &format!("http://{host}/")),
    ]);
    assert_eq!(issue(Family::Aws, "", around.clone()).await.unwrap(), keys(Some(DOCUMENT_MS)));
    let refused = issue(Family::Aws, "", around).await.unwrap_err();
    assert_eq!(refused.to_string(), "STS answered 400: ExpiredTokenException");
    let asked = &asked.await.unwrap()[0];
    assert_eq!(asked.line, "POST / HTTP/1.1");
    let form = asked.form();
    let fields = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", "arn:aws:iam::1:role/r"),
        ("RoleSessionName", "bursar"),
        ("WebIdentityToken", "jwt.jwt"),
    ];
    assert!(
        fields.iter().all(|(name, value)| form[*name] == *value) && form.len() == 5,
        "{form:?}"
    );
}

#[tokio::test]
async fn a_container_shows_its_proof_to_its_platform() {
    let (host, asked) = double(vec![("200 OK", DOCUMENT.to_owned())]).await;
    let around = env(&[
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("http://{host}/v1/creds")),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "proof"),
    ]);
    assert_eq!(issue(Family::Aws, "", around).await.unwrap(), keys(Some(DOCUMENT_MS)));
    let asked = &asked.await.unwrap()[0];
    assert_eq!(asked.line, "GET /v1/creds HTTP/1.1");
    assert_eq!(asked.headers["authorization"], "proof");
    let elsewhere = env(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/")]);
    assert!(issue(Family::Aws, "", elsewhere).await.is_err());
}

#[tokio::test]
async fn a_machine_opens_a_session_before_it_asks_for_its_roles_keys() {
    let answers = [("200 OK", "session"), ("200 OK", "role-1\n"), ("200 OK", DOCUMENT)];
    let (host, asked) = double(answers.map(|(head, body)| (head, body.to_owned())).to_vec()).await;
    let around = env(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &format!("http://{host}"))]);
    assert_eq!(issue(Family::Aws, "", around).await.unwrap(), keys(Some(DOCUMENT_MS)));
    let asked = asked.await.unwrap();
    let lines: Vec<&str> = asked.iter().map(|asked| asked.line.as_str()).collect();
    let expected = [
        "PUT /latest/api/token HTTP/1.1",
        "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1",
        "GET /latest/meta-data/iam/security-credentials/role-1 HTTP/1.1",
    ];
    assert_eq!(lines, expected);
    assert_eq!(asked[0].headers["x-aws-ec2-metadata-token-ttl-seconds"], "21600");
    assert!(asked[1..].iter().all(|asked| asked.headers["x-aws-ec2-metadata-token"] == "session"));
    let disabled = env(&[("AWS_EC2_METADATA_DISABLED", "true")]);
    let refused = issue(Family::Aws, "", disabled).await.unwrap_err();
    assert!(refused.to_string().starts_with("no AWS keys"), "{refused}");
}
