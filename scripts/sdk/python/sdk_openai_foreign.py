"""The OpenAI SDK for Python against models of foreign providers. Run by scripts/sdk/run."""

import json
import unittest

import openai
import pydantic

import foreign

HELLO = [{"role": "user", "content": "Hello"}]
TOOL = {"type": "object", "properties": {}}


def client():
    return openai.OpenAI(base_url=f"{foreign.BASE_URL}/v1", api_key=foreign.KEY, max_retries=0)


def answer_model(example):
    """A type for an object like the example."""
    return pydantic.create_model("Answer", **{name: (type(value), ...) for name, value in example.items()})


class ChatCompletions(unittest.TestCase):
    def test_an_answer_arrives(self):
        for provider, model, text in foreign.cases("text"):
            with self.subTest(provider):
                answer = client().chat.completions.create(model=model, messages=HELLO, max_tokens=50)
                self.assertEqual(answer.choices[0].message.content, text)
                self.assertGreater(answer.usage.completion_tokens, 0)

    def test_a_stream_arrives(self):
        for provider, model, text in foreign.cases("stream"):
            with self.subTest(provider):
                chunks = list(
                    client().chat.completions.create(
                        model=model, messages=HELLO, max_tokens=50, stream=True, stream_options={"include_usage": True}
                    )
                )
                words = [c.choices[0].delta.content or "" for c in chunks if c.choices]
                self.assertTrue("".join(words).startswith(text), words)
                reasons = [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason]
                self.assertEqual(len(reasons), 1)
                self.assertGreater(chunks[-1].usage.completion_tokens, 0)

    def test_a_tool_is_called(self):
        for provider, model, (name, arguments) in foreign.cases("tool"):
            with self.subTest(provider):
                tool = {"type": "function", "function": {"name": name, "parameters": TOOL}}
                choice = client().chat.completions.create(model=model, messages=HELLO, tools=[tool], max_tokens=50).choices[0]
                self.assertEqual(choice.finish_reason, "tool_calls")
                call = choice.message.tool_calls[0]
                self.assertTrue(call.id)
                self.assertEqual((call.function.name, json.loads(call.function.arguments)), (name, arguments))

    def test_an_object_has_its_type(self):
        for provider, model, expected in foreign.cases("object"):
            with self.subTest(provider):
                answer = client().chat.completions.parse(
                    model=model, messages=HELLO, response_format=answer_model(expected), max_tokens=50
                )
                self.assertEqual(answer.choices[0].message.parsed.model_dump(), expected)


class Responses(unittest.TestCase):
    def test_an_answer_arrives(self):
        for provider, model, text in foreign.cases("text"):
            with self.subTest(provider):
                answer = client().responses.create(model=model, input="Hello", max_output_tokens=50)
                self.assertEqual(answer.output_text, text)
                self.assertGreater(answer.usage.output_tokens, 0)

    def test_a_stream_arrives(self):
        for provider, model, text in foreign.cases("stream"):
            with self.subTest(provider), client().responses.stream(model=model, input="Hello") as stream:
                events = list(stream)
                words = "".join(event.delta for event in events if event.type == "response.output_text.delta")
                self.assertTrue(words.startswith(text), words)
                self.assertIn(events[-1].type, ("response.completed", "response.incomplete"))
                self.assertEqual(events[-1].response.output_text, words)

    def test_a_tool_is_called(self):
        for provider, model, (name, arguments) in foreign.cases("tool"):
            with self.subTest(provider):
                tool = {"type": "function", "name": name, "parameters": TOOL, "strict": False}
                answer = client().responses.create(model=model, input="Hello", tools=[tool], max_output_tokens=50)
                call = next(item for item in answer.output if item.type == "function_call")
                self.assertTrue(call.call_id)
                self.assertEqual((call.name, json.loads(call.arguments)), (name, arguments))

    def test_an_object_has_its_type(self):
        for provider, model, expected in foreign.cases("object"):
            with self.subTest(provider):
                answer = client().responses.parse(model=model, input="Hello", text_format=answer_model(expected))
                self.assertEqual(answer.output_parsed.model_dump(), expected)


if __name__ == "__main__":
    unittest.main()
