"""The OpenAI SDK for Python against a running cluster. Run by scripts/sdk/run."""

import itertools
import json
import os
import time
import unittest
import urllib.error
import urllib.request

import openai

FACTS = json.loads(os.environ["BURSAR_FACTS"])
NODES = [node["base_url"] for node in FACTS["nodes"]]
HELLO = [{"role": "user", "content": "Hello"}]
NAMES = itertools.count(1)


def client(key=FACTS["virtual_key"], node=0, **more):
    return openai.OpenAI(base_url=f"{NODES[node]}/v1", api_key=key, max_retries=0, **more)


def admin(method, path, body=None):
    request = urllib.request.Request(
        f"{FACTS['nodes'][0]['admin_url']}/admin/v1/{path}",
        None if body is None else json.dumps(body).encode(),
        {"authorization": f"Bearer {FACTS['admin_token']}", "content-type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def new_key(**settings):
    made = admin("POST", "keys", {"name": f"python-{next(NAMES)}", **settings})
    return made["name"], made["key"]


def spend_all(key):
    """Asks until the budget is spent; while it is only held, asks again, as the answer says."""
    for _ in range(100):
        try:
            client(key).chat.completions.create(model="chat", messages=HELLO, max_tokens=10)
        except openai.RateLimitError as refusal:
            time.sleep(int(refusal.response.headers["retry-after-ms"]) / 1000)


class Answers(unittest.TestCase):
    def test_chat_on_every_node(self):
        for node in range(len(NODES)):
            answer = client(node=node).chat.completions.create(model="chat", messages=HELLO, max_tokens=10)
            self.assertEqual(answer.usage.completion_tokens, 10)
            self.assertEqual(len(answer.choices[0].message.content), 40)
            self.assertEqual(answer.choices[0].finish_reason, "length")

    def test_stream_with_and_without_usage(self):
        create = client().chat.completions.create
        chunks = list(create(model="chat", messages=HELLO, max_tokens=10, stream=True))
        self.assertTrue(all(chunk.usage is None and chunk.choices for chunk in chunks), "usage was not asked for")
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        self.assertEqual(len(text), 40)
        asked = create(
            model="chat", messages=HELLO, max_tokens=10, stream=True, stream_options={"include_usage": True}
        )
        self.assertEqual(list(asked)[-1].usage.completion_tokens, 10)

    def test_completions(self):
        answer = client().completions.create(model="sim/sim-chat", prompt="Once", max_tokens=5)
        self.assertEqual(len(answer.choices[0].text), 20)

    def test_embeddings(self):
        answer = client().embeddings.create(model="embed", input=["one", "two"])
        self.assertEqual([len(item.embedding) for item in answer.data], [64, 64])

    def test_models(self):
        names = {model.id for model in client().models.list()}
        self.assertIn("chat", names)
        self.assertIn("sim/sim-chat", names)


class Refusals(unittest.TestCase):
    def refused(self, kind, status, code, key, **call):
        call = {"model": "chat", "messages": HELLO, "max_tokens": 10, **call}
        with self.assertRaises(kind) as caught:
            client(key).chat.completions.create(**call)
        self.assertEqual((caught.exception.status_code, caught.exception.code), (status, code))
        return caught.exception

    def test_no_such_key(self):
        refusal = self.refused(openai.AuthenticationError, 401, "virtual_key_unknown", "sk-nobody-has-this")
        self.assertEqual(refusal.type, "authentication_error")

    def test_no_key(self):
        request = urllib.request.Request(f"{NODES[0]}/v1/models")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        self.assertEqual(caught.exception.code, 401)
        error = json.load(caught.exception)["error"]
        self.assertEqual((error["code"], set(error)), ("virtual_key_required", {"message", "type", "param", "code"}))

    def test_disabled_expired_and_revoked_keys(self):
        _, disabled = new_key(enabled=False)
        _, expired = new_key(expires_at="2020-01-01T00:00:00Z")
        name, revoked = new_key()
        admin("DELETE", f"keys/{name}")
        for key in (disabled, expired, revoked):
            self.refused(openai.PermissionDeniedError, 403, "virtual_key_blocked", key)

    def test_provider_and_model_not_allowed(self):
        _, key = new_key(models=["embed"])
        self.refused(openai.PermissionDeniedError, 403, "model_blocked", key)
        _, key = new_key(providers=["other"])
        self.refused(openai.PermissionDeniedError, 403, "provider_blocked", key)

    def test_rate_limits(self):
        _, key = new_key(limits={"requests_per_minute": 6})
        with self.assertRaises(openai.RateLimitError) as caught:
            for _ in range(12):
                client(key).chat.completions.create(model="chat", messages=HELLO, max_tokens=10)
        self.assertEqual(caught.exception.code, "request_limited")
        self.assertGreater(int(caught.exception.response.headers["retry-after-ms"]), 0)
        _, key = new_key(limits={"requests_per_minute": 0})
        refusal = self.refused(openai.RateLimitError, 429, "request_limited", key)
        self.assertEqual(refusal.response.headers["x-should-retry"], "false")
        _, key = new_key(limits={"tokens_per_minute": 0})
        self.refused(openai.RateLimitError, 429, "token_limited", key)
        _, key = new_key(limits={"concurrent_requests": 0})
        self.refused(openai.RateLimitError, 429, "concurrency_limited", key)

    def test_a_spent_budget_and_a_request_that_can_never_fit(self):
        _, key = new_key(budget_usd="0.001")
        with self.assertRaises(openai.APIStatusError) as caught:
            spend_all(key)
        refusal = caught.exception
        self.assertEqual((refusal.status_code, refusal.code), (402, "budget_exceeded"))
        self.assertEqual(refusal.type, "insufficient_quota")
        self.assertEqual(refusal.response.headers["x-should-retry"], "false")
        _, key = new_key(budget_usd="0.0001")
        self.refused(openai.APIStatusError, 402, "request_exceeds_budget", key, max_tokens=10_000)

    def test_malformed_requests(self):
        with self.assertRaises(openai.BadRequestError):
            client().chat.completions.create(model="chat", messages="Hello", max_tokens=10)

    def test_an_unknown_model(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            client().chat.completions.create(model="no-such-model", messages=HELLO)
        self.assertEqual(caught.exception.code, "model_not_found")


class ErrorsOfTheProvider(unittest.TestCase):
    def ask(self, behaviour):
        messages = [{"role": "user", "content": f"sim{{{behaviour}}}"}]
        return client().chat.completions.create(model="chat", messages=messages, max_tokens=10)

    def test_its_errors_keep_their_kind(self):
        with self.assertRaises(openai.RateLimitError):
            self.ask("status=429,retry_after_s=1")
        with self.assertRaises(openai.BadRequestError):
            self.ask("status=400")
        with self.assertRaises(openai.InternalServerError):
            self.ask("status=500")

    def test_our_credential_is_not_the_callers_fault(self):
        with self.assertRaises(openai.InternalServerError):
            self.ask("status=401")

    def test_a_stream_that_is_cut_is_an_error(self):
        messages = [{"role": "user", "content": "sim{cut_after=3}"}]
        stream = client().chat.completions.create(model="chat", messages=messages, max_tokens=10, stream=True)
        with self.assertRaises(openai.APIError):
            list(stream)


if __name__ == "__main__":
    unittest.main()
