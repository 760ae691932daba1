"""Other gateways as upstreams of a running node, each in front of recorded answers. Run by scripts/gateways/run.

What they make of a record is what a caller must get: the words, the calls, the counts and the errors.
"""

import http.server
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "sdk" / "python"))
import foreign

HERE = pathlib.Path(__file__).resolve().parent
WITHIN_S = 60
SECRET = "sk-upstream"
MODELS = {thing: name for thing, (name, _) in foreign.PROVIDERS["anthropic"][1].items()}
EXPECTED = {thing: expected for thing, (_, expected) in foreign.PROVIDERS["anthropic"][1].items()}
# A schema that the provider refuses.
REFUSED = "anthropic-messages-08de2348e2"
WORDS = "For 'object' type, property 'properties' is not supported"
MESSAGES = [{"role": "user", "content": "Hello"}]
TOOLS = [{"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}}]
PRICE = {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}

# The gateways as a node knows them: the provider's name, its kind, and the way to it.
UPSTREAMS = {
    "litellm": ("openai-compatible", "/v1"),
    "litellm-messages": ("anthropic", "/v1"),
    "portkey": ("openai-compatible", "/v1"),
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(handler):
    """Serves on loopback while the tests run; the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def wait_for(port):
    """Waits until something listens."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"nothing listens on port {port} after {WITHIN_S} s")


class _ToPortkey(http.server.BaseHTTPRequestHandler):
    """Tells Portkey's gateway in its own headers where to go, and passes the rest on."""

    protocol_version = "HTTP/1.1"
    port = 0
    upstream = 0

    def do_POST(self):
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {SECRET}",
            "x-portkey-provider": "anthropic",
            "x-portkey-custom-host": f"http://127.0.0.1:{self.upstream}/v1",
        }
        body = self.rfile.read(int(self.headers["content-length"]))
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{self.path}", body, headers)
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        with answer:
            said = answer.read()
            self.send_response(answer.status)
            self.send_header("content-type", answer.headers.get("content-type", "application/json"))
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        """Says nothing."""


def start_litellm(upstream, folder):
    names = [*MODELS.values(), REFUSED]
    params = {"api_base": f"http://127.0.0.1:{upstream}", "api_key": SECRET}
    models = [{"model_name": name, "litellm_params": {"model": f"anthropic/{name}", **params}} for name in names]
    config = {
        "model_list": models,
        "general_settings": {"master_key": SECRET},
        "litellm_settings": {"telemetry": False, "num_retries": 0},
    }
    # JSON is YAML.
    path = pathlib.Path(folder, "litellm.yaml")
    path.write_text(json.dumps(config))
    port = free_port()
    command = [HERE / ".venv/bin/litellm", "--config", path, "--host", "127.0.0.1", "--port", str(port)]
    known = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return port, start(command, known)


def start_portkey():
    port = free_port()
    script = HERE / "node_modules/@portkey-ai/gateway/build/start-server.js"
    return port, start(["node", script, f"--port={port}", "--headless"], dict(os.environ))


def start(command, environment):
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def setUpModule():
    upstream = serve(foreign._Upstream)
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    litellm, first = start_litellm(upstream, folder.name)
    portkey, second = start_portkey()
    for process in (first, second):
        unittest.addModuleCleanup(process.wait)
        unittest.addModuleCleanup(process.terminate)
    wait_for(litellm)
    wait_for(portkey)
    _ToPortkey.port, _ToPortkey.upstream = portkey, upstream
    ports = {"litellm": litellm, "litellm-messages": litellm, "portkey": serve(_ToPortkey)}
    names = [*MODELS.values(), REFUSED]
    limits = {"price": PRICE, "output_tokens_max": 64_000, "input_tokens_max": 1_000_000}
    for name, (kind, version) in UPSTREAMS.items():
        foreign.admin("PUT", f"providers/gateway-{name}", {
            "kind": kind,
            "base_url": f"http://127.0.0.1:{ports[name]}{version}",
            "credentials": [{"secret": SECRET}],
            "models": [{"name": model, **limits} for model in names],
            "attempts_max": 1,
            "allow_private_network": True,
        })


def ask(gateway, model, **more):
    """Status and body of a chat with a gateway's model."""
    body = {"model": f"gateway-{gateway}/{model}", "messages": MESSAGES, "max_tokens": 50, **more}
    request = urllib.request.Request(
        f"{foreign.BASE_URL}/v1/chat/completions", json.dumps(body).encode(),
        {"authorization": f"Bearer {foreign.KEY}", "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def counts(model):
    """What the record says it used."""
    body = foreign.record(model)["response_body"]
    if body.startswith("{"):
        usage = json.loads(body)["usage"]
        return usage["input_tokens"], usage["output_tokens"]
    events = [json.loads(line[5:]) for line in body.splitlines() if line.startswith("data:")]
    said = [event.get("usage") or event.get("message", {}).get("usage") for event in events]
    said = [usage for usage in said if usage]
    return tuple(max(usage.get(key, 0) for usage in said) for key in ("input_tokens", "output_tokens"))


class Gateways(unittest.TestCase):
    def answered(self, gateway, thing, **more):
        """The message of a plain answer, whose counts are the record's."""
        status, body = ask(gateway, MODELS[thing], **more)
        self.assertEqual(status, 200, body)
        answer = json.loads(body)
        usage = answer["usage"]
        self.assertEqual((usage["prompt_tokens"], usage["completion_tokens"]), counts(MODELS[thing]), body)
        return answer["choices"][0]["message"]

    def test_an_answer_arrives(self):
        for gateway in UPSTREAMS:
            with self.subTest(gateway):
                self.assertEqual(self.answered(gateway, "text")["content"], EXPECTED["text"])

    def test_a_tool_is_called(self):
        for gateway in UPSTREAMS:
            with self.subTest(gateway):
                (call,) = self.answered(gateway, "tool", tools=TOOLS)["tool_calls"]
                said = call["function"]["name"], json.loads(call["function"]["arguments"])
                self.assertEqual((call["type"], said), ("function", EXPECTED["tool"]))

    def test_a_stream_arrives(self):
        for gateway in UPSTREAMS:
            if gateway == "portkey":
                # Its release answers every stream with a 500 on a Node whose response headers cannot be changed.
                continue
            for asked in (True, False):
                with self.subTest(gateway, usage=asked):
                    more = {"stream_options": {"include_usage": True}} if asked else {}
                    status, body = ask(gateway, MODELS["stream"], stream=True, **more)
                    self.assertEqual(status, 200, body)
                    data = [line[6:] for line in body.splitlines() if line.startswith("data: ")]
                    self.assertEqual(data.pop(), "[DONE]", body)
                    chunks = [json.loads(chunk) for chunk in data]
                    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
                    words = "".join(delta.get("content") or "" for delta in deltas)
                    self.assertTrue(words.startswith(EXPECTED["stream"]), words)
                    usages = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
                    told = [(usage["prompt_tokens"], usage["completion_tokens"]) for usage in usages]
                    if asked:
                        self.assertEqual(told, [counts(MODELS["stream"])], body)

    def test_a_refusal_keeps_its_status_and_words(self):
        for gateway in UPSTREAMS:
            with self.subTest(gateway):
                status, body = ask(gateway, REFUSED)
                self.assertEqual(status, 400, body)
                error = json.loads(body)["error"]
                self.assertIn(WORDS, error["message"])
                self.assertEqual(error["type"], "invalid_request_error")


if __name__ == "__main__":
    unittest.main()
