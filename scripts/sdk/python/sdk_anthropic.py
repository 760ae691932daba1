"""The Anthropic SDK for Python against models of foreign providers, and of its own. Run by scripts/sdk/run."""

import unittest

import anthropic

import foreign

HELLO = [{"role": "user", "content": "Hello"}]
SCHEMA = {"type": "object", "properties": {}}


def client():
    return anthropic.Anthropic(base_url=f"{foreign.BASE_URL}/anthropic", api_key=foreign.KEY, max_retries=0)


class Messages(unittest.TestCase):
    def test_an_answer_arrives(self):
        for provider, model, text in foreign.cases("text"):
            with self.subTest(provider):
                answer = client().messages.create(model=model, messages=HELLO, max_tokens=50)
                self.assertEqual(answer.content[-1].text, text)
                self.assertEqual((answer.type, answer.role), ("message", "assistant"))
                self.assertGreater(answer.usage.output_tokens, 0)

    def test_a_stream_arrives(self):
        for provider, model, text in foreign.cases("stream"):
            with self.subTest(provider):
                with client().messages.stream(model=model, messages=HELLO, max_tokens=50) as stream:
                    words = "".join(stream.text_stream)
                    final = stream.get_final_message()
                self.assertTrue(words.startswith(text), words)
                self.assertIn(final.stop_reason, ("end_turn", "max_tokens"))
                self.assertGreater(final.usage.output_tokens, 0)

    def test_a_tool_is_called(self):
        for provider, model, (name, arguments) in foreign.cases("tool"):
            with self.subTest(provider):
                tool = {"name": name, "input_schema": SCHEMA}
                answer = client().messages.create(model=model, messages=HELLO, tools=[tool], max_tokens=50)
                self.assertEqual(answer.stop_reason, "tool_use")
                call = answer.content[-1]
                self.assertTrue(call.id)
                self.assertEqual((call.name, call.input), (name, arguments))

    def test_an_object_has_its_shape(self):
        for provider, model, expected in foreign.cases("object"):
            with self.subTest(provider):
                properties = {name: {"type": "string"} for name in expected}
                schema = {**SCHEMA, "properties": properties, "required": [*expected], "additionalProperties": False}
                answer = client().messages.create(
                    model=model,
                    messages=HELLO,
                    max_tokens=50,
                    extra_body={"output_config": {"format": {"type": "json_schema", "schema": schema}}},
                )
                self.assertEqual(foreign.json.loads(answer.content[-1].text), expected)

    def test_tokens_are_counted_by_the_provider_of_the_model(self):
        for provider, model, expected in foreign.cases("count"):
            with self.subTest(provider):
                counted = client().messages.count_tokens(model=model, messages=HELLO)
                self.assertEqual(counted.input_tokens, expected)

    def test_tokens_are_estimated_where_the_provider_does_not_count(self):
        model = next(model for provider, model, _ in foreign.cases("text") if provider == "mistral")
        told = client().messages.with_raw_response.count_tokens(model=model, messages=HELLO)
        self.assertEqual(told.headers["x-bursar-estimated"], "true")
        self.assertGreater(told.parse().input_tokens, 0)

    def test_refusals_are_exceptions_of_the_sdk(self):
        nobody = anthropic.Anthropic(base_url=f"{foreign.BASE_URL}/anthropic", api_key="sk-nobody", max_retries=0)
        with self.assertRaises(anthropic.AuthenticationError) as caught:
            nobody.messages.create(model="chat", messages=HELLO, max_tokens=5)
        self.assertEqual(caught.exception.body["error"]["type"], "authentication_error")
        with self.assertRaises(anthropic.NotFoundError):
            client().messages.create(model="no-such-model", messages=HELLO, max_tokens=5)


if __name__ == "__main__":
    unittest.main()
