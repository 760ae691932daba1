// The OpenAI SDK for Node against a running cluster. Run by scripts/sdk/run.

import assert from "node:assert/strict";
import { test } from "node:test";

import OpenAI from "openai";

const facts = JSON.parse(process.env.BURSAR_FACTS);
const nodes = facts.nodes.map((node) => node.base_url);
const messages = [{ role: "user", content: "Hello" }];
const chat = { model: "chat", messages, max_tokens: 10 };

const client = (apiKey = facts.virtual_key, node = 0) =>
  new OpenAI({ baseURL: `${nodes[node]}/v1`, apiKey, maxRetries: 0 });

async function admin(method, path, body) {
  const answer = await fetch(`${facts.nodes[0].admin_url}/admin/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${facts.admin_token}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

let made = 0;
async function newKey(settings) {
  made += 1;
  return admin("POST", "keys", { name: `node-${made}`, ...settings });
}

async function refused(kind, status, code, key, call = {}) {
  const error = await client(key)
    .chat.completions.create({ ...chat, ...call })
    .then(
      () => assert.fail(`expected ${status} ${code}, was answered`),
      (error) => error,
    );
  assert.ok(error instanceof kind, `${error.constructor.name} is no ${kind.name}: ${error.message}`);
  assert.deepEqual([error.status, error.code], [status, code]);
  return error;
}

// Asks until the budget is spent; while it is only held, asks again, as the answer says.
async function spendAll(key) {
  for (let calls = 0; calls < 100; calls += 1) {
    try {
      await client(key).chat.completions.create(chat);
    } catch (error) {
      if (!(error instanceof OpenAI.RateLimitError)) return error;
      await new Promise((resume) => setTimeout(resume, Number(error.headers.get("retry-after-ms"))));
    }
  }
  assert.fail("the budget is never spent");
}

test("chat on every node", async () => {
  for (const node of nodes.keys()) {
    const answer = await client(undefined, node).chat.completions.create(chat);
    assert.equal(answer.usage.completion_tokens, 10);
    assert.equal(answer.choices[0].message.content.length, 40);
  }
});

test("stream, with usage only where it was asked for", async () => {
  let text = "";
  for await (const chunk of await client().chat.completions.create({ ...chat, stream: true })) {
    assert.ok(!chunk.usage && chunk.choices.length === 1);
    text += chunk.choices[0].delta.content ?? "";
  }
  assert.equal(text.length, 40);
  let usage;
  const asked = { ...chat, stream: true, stream_options: { include_usage: true } };
  for await (const chunk of await client().chat.completions.create(asked)) usage = chunk.usage ?? usage;
  assert.equal(usage.completion_tokens, 10);
});

test("embeddings", async () => {
  const answer = await client().embeddings.create({ model: "embed", input: ["one", "two"] });
  assert.deepEqual(answer.data.map((item) => item.embedding.length), [64, 64]);
});

test("models", async () => {
  const names = [];
  for await (const model of client().models.list()) names.push(model.id);
  assert.ok(names.includes("chat") && names.includes("sim/sim-chat"), names.join());
});

test("an unknown key", () =>
  refused(OpenAI.AuthenticationError, 401, "virtual_key_unknown", "sk-nobody-has-this"));

test("a disabled, an expired and a revoked key", async () => {
  const disabled = await newKey({ enabled: false });
  const expired = await newKey({ expires_at: "2020-01-01T00:00:00Z" });
  const revoked = await newKey({});
  await admin("DELETE", `keys/${revoked.name}`);
  for (const { key } of [disabled, expired, revoked]) {
    await refused(OpenAI.PermissionDeniedError, 403, "virtual_key_blocked", key);
  }
});

test("a provider and a model that are not allowed", async () => {
  const model = await newKey({ models: ["embed"] });
  await refused(OpenAI.PermissionDeniedError, 403, "model_blocked", model.key);
  const provider = await newKey({ providers: ["other"] });
  await refused(OpenAI.PermissionDeniedError, 403, "provider_blocked", provider.key);
});

test("rate limits", async () => {
  const limits = {
    requests_per_minute: "request_limited",
    tokens_per_minute: "token_limited",
    concurrent_requests: "concurrency_limited",
  };
  for (const [limit, code] of Object.entries(limits)) {
    const { key } = await newKey({ limits: { [limit]: 0 } });
    await refused(OpenAI.RateLimitError, 429, code, key);
  }
});

test("a spent budget, and a request that can never fit", async () => {
  const { key } = await newKey({ budget_usd: "0.001" });
  const error = await spendAll(key);
  assert.deepEqual([error.status, error.code], [402, "budget_exceeded"]);
  assert.equal(error.type, "insufficient_quota");
  assert.equal(error.headers.get("x-should-retry"), "false");
  const small = await newKey({ budget_usd: "0.0001" });
  await refused(OpenAI.APIError, 402, "request_exceeds_budget", small.key, { max_tokens: 10_000 });
});

test("a malformed request and an unknown model", async () => {
  const create = (call) => client().chat.completions.create({ ...chat, ...call });
  await assert.rejects(create({ messages: "Hello" }), OpenAI.BadRequestError);
  await assert.rejects(create({ model: "no-such-model" }), OpenAI.NotFoundError);
});

test("errors of the provider keep their kind", async () => {
  const ask = (behaviour, more = {}) =>
    client().chat.completions.create({
      ...chat,
      messages: [{ role: "user", content: `sim{${behaviour}}` }],
      ...more,
    });
  await assert.rejects(ask("status=429,retry_after_s=1"), OpenAI.RateLimitError);
  await assert.rejects(ask("status=400"), OpenAI.BadRequestError);
  await assert.rejects(ask("status=500"), OpenAI.InternalServerError);
  await assert.rejects(ask("status=401"), OpenAI.InternalServerError);
  await assert.rejects(async () => {
    for await (const _ of await ask("cut_after=3", { stream: true }));
  }, OpenAI.APIError);
});
