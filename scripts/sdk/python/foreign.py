"""Models of foreign providers for the SDKs' tests: recorded answers, replayed behind a Bursar node.

A model is named like the record it answers with. Whatever is asked, the upstream answers with that record; so
each test knows what must arrive, in the words of whichever SDK asks.
"""

import base64
import functools
import gzip
import http.server
import json
import os
import pathlib
import re
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

FACTS = json.loads(os.environ["BURSAR_FACTS"])
BASE_URL = FACTS["nodes"][0]["base_url"]
KEY = FACTS["virtual_key"]
TRAFFIC = pathlib.Path(__file__).resolve().parents[4] / "shared" / "traffic"

# For each provider: its kind, the path its dialect begins with, and a record of each thing asked of it; of vectors
# their first numbers, of orderings the documents' numbers and scores.
PROVIDERS = {
    "anthropic": ("/v1", {
        "text": ("anthropic-messages-28daf6c461", 'THE BEST-SELLING BOOK OF ALL TIME IS "DON'),
        "stream": ("anthropic-messages_stream-56c80eb406", "2"),
        "tool": ("anthropic-messages-20ea78afa4", ("get_time", {"timezone": "America/Los_Angeles"})),
        "object": ("anthropic-messages-392099246c", {"city": "Paris", "country": "France"}),
    }),
    "gemini": ("/v1beta", {
        "text": (
            "gemini-gemini_generate-6425188238",
            "A cute black Labrador puppy with glistening eyes looks up at the camera from a wooden surface.",
        ),
        "stream": ("gemini-gemini_stream-a6f3a5cd47", "Olá!"),
        "tool": ("gemini-gemini_generate-cd6e149caa", ("current_date", {})),
        "object": ("gemini-gemini_generate-5cc228231e", {"name": "Jane", "age": 25}),
        "count": ("gemini-gemini_count_tokens-b68c2d5aab", 8),
        "embed": ("gemini-embeddings-691ac4f848", [-0.016435297, -0.007067837]),
    }),
    "bedrock": ("", {
        "text": ("bedrock-converse-d80d160c06", "EIGHT"),
        "stream": ("bedrock-converse_stream-228dac8d79", "I am here and ready to assist"),
        "tool": ("bedrock-converse-d7b14408a7", ("file_fetch", {})),
        "object": ("bedrock-converse-ecb58cebc3", {"eval": True}),
        "count": ("bedrock-count_tokens-c874d8bda9", 18),
    }),
    "mistral": ("/v1", {
        "text": ("mistral-chat-8ba3c5107b", "The sum of 2 + 2 is 4."),
        "stream": ("mistral-chat_stream-f9cff29ac5", "Sure, here is"),
        "tool": ("mistral-chat-a84089798a", ("dice_roll", {})),
        "object": ("mistral-chat-b9cbe349b4", {"name": "John", "age": 30}),
        "embed": ("mistral-embeddings-7de24f86fc", [-0.05426025390625, 0.0201568603515625]),
    }),
    "cohere": ("/v2", {
        "embed": ("cohere-embeddings-771883d9a9", [0.025118703, 0.01667362]),
        "rerank": ("cohere-rerank-544e910bdd", [(0, 0.75809944), (2, 0.5515985)]),
    }),
    "voyage": ("/v1", {
        "embed": ("voyageai-embeddings-0fc4ea40d5", [-0.091894485, 0.017137121]),
        "rerank": ("voyageai-rerank-c16151961b", [(0, 0.69140625), (2, 0.494140625)]),
    }),
}

@functools.cache
def record(name):
    """The record of that id."""
    with gzip.open(TRAFFIC / f"{name.split('-')[0]}.jsonl.gz", "rt") as lines:
        return next(found for found in map(json.loads, lines) if found["id"] == name)


def body_of(answer):
    """The bytes of a record's answer."""
    body = answer["response_body"]
    return body.encode() if answer["response_body_encoding"] == "utf8" else base64.b64decode(body)


class _Upstream(http.server.BaseHTTPRequestHandler):
    """Answers with the record that the request's model is named like."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        asked = json.loads(body)
        in_path = re.search(r"/model[s]?/([^/:]+)", urllib.parse.unquote(self.path))
        name = in_path.group(1) if in_path else asked["model"]
        answer = record(name)
        body = body_of(answer)
        headers = {"content-type": "application/json"} | (answer["response_headers"] or {})
        self.send_response(answer["status"])
        for header, value in headers.items():
            if header.lower() not in ("content-length", "transfer-encoding", "connection", "content-encoding"):
                self.send_header(header, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


def admin(method, path, body=None):
    """Asks the admin API."""
    request = urllib.request.Request(
        f"{FACTS['nodes'][0]['admin_url']}/admin/v1/{path}",
        None if body is None else json.dumps(body).encode(),
        {"authorization": f"Bearer {FACTS['admin_token']}", "content-type": "application/json"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        raise AssertionError(f"{method} {path}: {refusal.code} {refusal.read().decode()}") from refusal


def configure(host):
    """Tells the node of the upstream's models, and says what to ask them and what must arrive."""
    found = {thing: [] for thing in ("text", "stream", "tool", "object", "count", "embed", "rerank")}
    price = {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}
    for kind, (version, records) in PROVIDERS.items():
        models = [
            {"name": name, "price": price, "output_tokens_max": 64_000, "input_tokens_max": 1_000_000}
            for name, _ in records.values()
        ]
        admin("PUT", f"providers/foreign-{kind}", {
            "kind": kind,
            "base_url": f"{host}/{kind}{version}",
            "credentials": [{"secret": "AKIDEXAMPLE:secret" if kind == "bedrock" else "sk-upstream"}],
            "models": models,
            "allow_private_network": True,
        })
        for thing, (name, expected) in records.items():
            found[thing].append([kind, f"foreign-{kind}/{name}", expected])
    return found


def cases(thing):
    """For each provider: its name, its model for that, and what must arrive."""
    return json.loads(os.environ["BURSAR_FOREIGN"])[thing]


def main():
    """Serves until the input ends; the first line of output is what the tests need to know."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps(configure(f"http://127.0.0.1:{server.server_port}")), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
