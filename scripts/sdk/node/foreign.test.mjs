// The SDKs of OpenAI, Anthropic and Google and the Vercel AI SDK against models of foreign providers,
// recorded and replayed by ../python/foreign.py. Run by scripts/sdk/run.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { generateObject, generateText, jsonSchema, streamText, tool } from "ai";
import OpenAI from "openai";

const facts = JSON.parse(process.env.BURSAR_FACTS);
const cases = JSON.parse(process.env.BURSAR_FOREIGN);
const base = facts.nodes[0].base_url;
const apiKey = facts.virtual_key;
const messages = [{ role: "user", content: "Hello" }];
const schema = { type: "object", properties: {} };

const shapeOf = (example) => ({
  type: "object",
  properties: Object.fromEntries(Object.entries(example).map(([name, value]) => [name, { type: typeOf(value) }])),
  required: Object.keys(example),
  additionalProperties: false,
});
const typeOf = (value) => (typeof value === "number" ? "integer" : typeof value);

/** A test for each provider that was recorded doing that. */
function forEach(what, thing, check) {
  test(what, async (suite) => {
    for (const [provider, model, expected] of cases[thing]) {
      await suite.test(provider, () => check(model, expected));
    }
  });
}

const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey, maxRetries: 0 });

forEach("openai: an answer arrives", "text", async (model, text) => {
  const answer = await openai.chat.completions.create({ model, messages, max_tokens: 50 });
  assert.equal(answer.choices[0].message.content, text);
});

forEach("openai: a stream arrives", "stream", async (model, text) => {
  let words = "";
  for await (const chunk of await openai.chat.completions.create({ model, messages, stream: true })) {
    words += chunk.choices[0]?.delta.content ?? "";
  }
  assert.ok(words.startsWith(text), words);
});

forEach("openai: a tool is called", "tool", async (model, [name, input]) => {
  const tools = [{ type: "function", function: { name, parameters: schema } }];
  const answer = await openai.chat.completions.create({ model, messages, tools });
  const call = answer.choices[0].message.tool_calls[0];
  assert.deepEqual([call.function.name, JSON.parse(call.function.arguments)], [name, input]);
});

forEach("openai: a response arrives as a stream", "stream", async (model, text) => {
  let words = "";
  for await (const event of await openai.responses.create({ model, input: "Hello", stream: true })) {
    words += event.type === "response.output_text.delta" ? event.delta : "";
  }
  assert.ok(words.startsWith(text), words);
});

const anthropic = new Anthropic({ baseURL: `${base}/anthropic`, apiKey, maxRetries: 0 });

forEach("anthropic: an answer arrives", "text", async (model, text) => {
  const answer = await anthropic.messages.create({ model, messages, max_tokens: 50 });
  assert.equal(answer.content.at(-1).text, text);
});

forEach("anthropic: a stream arrives", "stream", async (model, text) => {
  const final = await anthropic.messages.stream({ model, messages, max_tokens: 50 }).finalMessage();
  assert.ok(final.content.at(-1).text.startsWith(text));
  assert.ok(final.usage.output_tokens > 0);
});

forEach("anthropic: a tool is called", "tool", async (model, [name, input]) => {
  const tools = [{ name, input_schema: schema }];
  const answer = await anthropic.messages.create({ model, messages, tools, max_tokens: 50 });
  const call = answer.content.at(-1);
  assert.deepEqual([answer.stop_reason, call.name, call.input], ["tool_use", name, input]);
});

const google = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `${base}/genai` } });

forEach("google: an answer arrives", "text", async (model, text) => {
  const answer = await google.models.generateContent({ model, contents: "Hello" });
  assert.equal(answer.text, text);
});

forEach("google: a stream arrives", "stream", async (model, text) => {
  let words = "";
  for await (const chunk of await google.models.generateContentStream({ model, contents: "Hello" })) {
    words += chunk.text ?? "";
  }
  assert.ok(words.startsWith(text), words);
});

forEach("google: a tool is called", "tool", async (model, [name, input]) => {
  const tools = [{ functionDeclarations: [{ name, parametersJsonSchema: schema }] }];
  const answer = await google.models.generateContent({ model, contents: "Hello", config: { tools } });
  const [call] = answer.functionCalls;
  assert.deepEqual([call.name, call.args ?? {}], [name, input]);
});

/** The Vercel AI SDK's models, each speaking its own dialect. */
const dialects = {
  "openai chat": (model) => createOpenAI({ baseURL: `${base}/v1`, apiKey }).chat(model),
  "openai responses": (model) => createOpenAI({ baseURL: `${base}/v1`, apiKey }).responses(model),
  anthropic: (model) => createAnthropic({ baseURL: `${base}/anthropic/v1`, apiKey })(model),
  google: (model) => createGoogleGenerativeAI({ baseURL: `${base}/genai/v1beta`, apiKey })(model),
};

for (const [dialect, speak] of Object.entries(dialects)) {
  const common = { prompt: "Hello", maxRetries: 0, maxOutputTokens: 50 };

  forEach(`vercel, ${dialect}: an answer arrives`, "text", async (model, text) => {
    assert.equal((await generateText({ model: speak(model), ...common })).text, text);
  });

  forEach(`vercel, ${dialect}: a stream arrives`, "stream", async (model, text) => {
    const onError = ({ error }) => {
      throw error;
    };
    const words = await streamText({ model: speak(model), ...common, onError }).text;
    assert.ok(words.startsWith(text), words);
  });

  forEach(`vercel, ${dialect}: a tool is called`, "tool", async (model, [name, input]) => {
    const tools = { [name]: tool({ description: "A tool.", inputSchema: jsonSchema(schema) }) };
    const { toolCalls } = await generateText({ model: speak(model), ...common, tools });
    assert.deepEqual([toolCalls[0].toolName, toolCalls[0].input], [name, input]);
  });

  forEach(`vercel, ${dialect}: an object has its shape`, "object", async (model, expected) => {
    const shape = jsonSchema(shapeOf(expected));
    const { object } = await generateObject({ model: speak(model), ...common, schema: shape });
    assert.deepEqual(object, expected);
  });
}
