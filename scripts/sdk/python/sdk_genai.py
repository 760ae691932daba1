"""Google's GenAI SDK for Python against models of foreign providers, and of its own. Run by scripts/sdk/run."""

import json
import unittest

from google import genai
from google.genai import errors, types

import foreign


def client(key=foreign.KEY):
    options = types.HttpOptions(base_url=f"{foreign.BASE_URL}/genai")
    return genai.Client(api_key=key, http_options=options)


class GenerateContent(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # One that is kept: it hangs up when nobody holds it any more.
        cls.client = client()

    def test_an_answer_arrives(self):
        for provider, model, text in foreign.cases("text"):
            with self.subTest(provider):
                answer = self.client.models.generate_content(model=model, contents="Hello")
                self.assertEqual(answer.text, text)
                self.assertGreater(answer.usage_metadata.candidates_token_count, 0)

    def test_a_stream_arrives(self):
        for provider, model, text in foreign.cases("stream"):
            with self.subTest(provider):
                chunks = list(self.client.models.generate_content_stream(model=model, contents="Hello"))
                words = "".join(chunk.text or "" for chunk in chunks)
                self.assertTrue(words.startswith(text), words)
                self.assertTrue(chunks[-1].candidates[0].finish_reason)

    def test_a_tool_is_called(self):
        for provider, model, (name, arguments) in foreign.cases("tool"):
            with self.subTest(provider):
                parameters = {"type": "object", "properties": {}}
                tool = types.Tool(
                    function_declarations=[types.FunctionDeclaration(name=name, parameters_json_schema=parameters)]
                )
                config = types.GenerateContentConfig(
                    tools=[tool], automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
                )
                answer = self.client.models.generate_content(model=model, contents="Hello", config=config)
                call = answer.function_calls[0]
                self.assertEqual((call.name, call.args or {}), (name, arguments))

    def test_an_object_has_its_shape(self):
        for provider, model, expected in foreign.cases("object"):
            with self.subTest(provider):
                schema = {"type": "object", "properties": {name: {"type": "string"} for name in expected}}
                config = types.GenerateContentConfig(
                    response_mime_type="application/json", response_json_schema=schema
                )
                answer = self.client.models.generate_content(model=model, contents="Hello", config=config)
                self.assertEqual(json.loads(answer.text), expected)

    def test_refusals_are_errors_of_the_sdk(self):
        nobody = client("sk-nobody")
        with self.assertRaises(errors.ClientError) as caught:
            nobody.models.generate_content(model="chat", contents="Hello")
        self.assertEqual((caught.exception.code, caught.exception.status), (401, "UNAUTHENTICATED"))


if __name__ == "__main__":
    unittest.main()
