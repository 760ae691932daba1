"""Cohere's SDK for Python against models of foreign providers. Run by scripts/sdk/run."""

import json
import unittest

import cohere

import foreign

HELLO = [{"role": "user", "content": "Hello"}]


def client(key=foreign.KEY):
    return cohere.ClientV2(api_key=key, base_url=f"{foreign.BASE_URL}/cohere")


class Chat(unittest.TestCase):
    def test_an_answer_arrives(self):
        for provider, model, text in foreign.cases("text"):
            with self.subTest(provider):
                answer = client().chat(model=model, messages=HELLO, max_tokens=50)
                self.assertEqual(answer.message.content[-1].text, text)
                self.assertGreater(answer.usage.tokens.output_tokens, 0)

    def test_a_stream_arrives(self):
        for provider, model, text in foreign.cases("stream"):
            with self.subTest(provider):
                events = list(client().chat_stream(model=model, messages=HELLO))
                deltas = [event.delta.message.content.text for event in events if event.type == "content-delta"]
                self.assertTrue("".join(deltas).startswith(text), deltas)
                self.assertEqual(events[-1].type, "message-end")

    def test_a_tool_is_called(self):
        for provider, model, (name, arguments) in foreign.cases("tool"):
            with self.subTest(provider):
                tool = {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
                answer = client().chat(model=model, messages=HELLO, tools=[tool])
                call = answer.message.tool_calls[0]
                self.assertEqual((call.function.name, json.loads(call.function.arguments)), (name, arguments))

    def test_refusals_are_errors_of_the_sdk(self):
        with self.assertRaises(cohere.UnauthorizedError):
            client("sk-nobody").chat(model="chat", messages=HELLO)


if __name__ == "__main__":
    unittest.main()
