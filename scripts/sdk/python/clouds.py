"""Doubles of clouds that check every field of what proves who asks, with the clouds' own libraries.

Signatures are computed anew by botocore from what came; Google's statements are verified by google-auth. What is
wrong is kept in `faults`, and refused as the cloud refuses it.
"""

import datetime
import http.server
import json
import pathlib
import threading
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import google.auth.jwt
from cryptography.hazmat.primitives import serialization

import foreign

REGION = "eu-central-1"
KEYS = {"access_key_id": "ASIAEXAMPLE", "secret_access_key": "wJalr/XUtnFEMI+K7MDENG", "session_token": "FwoG/+=="}
PEM = (pathlib.Path(__file__).resolve().parents[3] / "node/testdata/google/account.pem").read_bytes()
GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
ENTRA_SCOPE = "https://cognitiveservices.azure.com/.default"
APP = {"tenant_id": "11111111-2222-3333-4444-555555555555", "client_id": "app", "client_secret": "s3~+&"}


def public_key():
    """The public half of the service account's key."""
    private = serialization.load_pem_private_key(PEM, None)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(serialization.Encoding.PEM, form)


class Wrong(Exception):
    """What came is not as it must be."""


def must(what, found, expected):
    """Refuses what is not as expected."""
    if found != expected:
        raise Wrong(f"{what}: {found!r} in the place of {expected!r}")


def check_signature(url, headers, body):
    """Computes the signature anew, and checks each part of what the headers say."""
    headers = {name.lower(): value for name, value in headers.items()}
    algorithm, _, rest = headers["authorization"].partition(" ")
    must("algorithm", algorithm, "AWS4-HMAC-SHA256")
    said = dict(part.split("=", 1) for part in rest.split(", "))
    must("parts of the header", set(said), {"Credential", "SignedHeaders", "Signature"})
    stamp = headers["x-amz-date"]
    at = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    if abs(datetime.datetime.now(datetime.timezone.utc) - at) > datetime.timedelta(minutes=5):
        raise Wrong(f"signed at {stamp}")
    scope = f"{KEYS['access_key_id']}/{stamp[:8]}/{REGION}/bedrock/aws4_request"
    must("scope", said["Credential"], scope)
    must("session token", headers.get("x-amz-security-token"), KEYS["session_token"])
    names = said["SignedHeaders"].split(";")
    must("order of signed headers", names, sorted(names))
    unsigned = [name for name in headers if name.startswith("x-amz") and name not in names]
    must("headers of AWS' that are not signed", unsigned, [])
    must("host is signed", "host" in names, True)
    request = botocore.awsrequest.AWSRequest("POST", url, {name: headers[name] for name in names}, body)
    request.context["timestamp"] = stamp
    keys = botocore.credentials.Credentials(*KEYS.values())
    auth = botocore.auth.SigV4Auth(keys, "bedrock", REGION)
    canonical = auth.canonical_request(request)
    must("signature", said["Signature"], auth.signature(auth.string_to_sign(request, canonical), request))


def check_statement(form, audience):
    """Verifies what a service account says of itself."""
    must("grant type", form.pop("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer")
    token = form.pop("assertion")
    must("other fields", form, {})
    header = google.auth.jwt.decode_header(token)
    must("header", header, {"alg": "RS256", "typ": "JWT", "kid": "k1"})
    # Verifies signature, audience, and that it is neither too early nor too late.
    claims = google.auth.jwt.decode(token, public_key(), audience=audience)
    must("claims", set(claims), {"iss", "scope", "aud", "iat", "exp"})
    must("issuer", claims["iss"], "proof@example.iam.gserviceaccount.com")
    must("scope", claims["scope"], GOOGLE_SCOPE)
    must("life", claims["exp"] - claims["iat"], 3600)


def check_app(form):
    """Checks how an application asks Entra for a token."""
    must("fields", form, {
        "grant_type": "client_credentials",
        "client_id": APP["client_id"],
        "client_secret": APP["client_secret"],
        "scope": ENTRA_SCOPE,
    })


class Cloud(http.server.BaseHTTPRequestHandler):
    """All doubles in one: the first segment of the path tells which."""

    protocol_version = "HTTP/1.1"
    # Names of models here, and the records they answer with.
    models = {}
    faults = []
    issued = []
    # Paths as they came.
    asked = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            self.answer(body)
        except (Wrong, KeyError, ValueError) as wrong:
            Cloud.faults.append(f"{self.path}: {wrong!r}")
            self.send(403, {"message": "The request signature we calculated does not match", "error": "denied"})

    def answer(self, body):
        host = f"http://{self.headers['host']}"
        which = self.path.split("/")[1]
        if which == "token":
            check_statement(dict(urllib.parse.parse_qsl(body.decode())), host + "/token")
            return self.issue("ya29.proof")
        if which == APP["tenant_id"]:
            must("path", self.path, f"/{APP['tenant_id']}/oauth2/v2.0/token")
            check_app(dict(urllib.parse.parse_qsl(body.decode())))
            return self.issue("ey.proof")
        if which == "bedrock":
            check_signature(host + self.path, self.headers, body)
        else:
            token = "ya29.proof" if which == "vertex" else "ey.proof"
            must("authorization", self.headers["authorization"], f"Bearer {token}")
        Cloud.asked.append(self.path)
        return self.replay(body)

    def issue(self, token):
        Cloud.issued.append(token)
        self.send(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def replay(self, body):
        """Answers with the record that belongs to the model in the path, or in the body."""
        path = urllib.parse.unquote(self.path)
        in_body = json.loads(body).get("model")
        name = next(record for model, record in Cloud.models.items() if f"/{model}" in path or model == in_body)
        answer = foreign.record(name)
        self.send(answer["status"], foreign.body_of(answer), answer["response_headers"] or {})

    def send(self, status, body, headers=()):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        framing = ("content-length", "transfer-encoding", "connection", "content-encoding")
        headers = {"content-type": "application/json"} | {name.lower(): value for name, value in dict(headers).items()}
        self.send_response(status)
        for name, value in headers.items():
            if name not in framing:
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


def serve():
    """Serves in the background; the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
