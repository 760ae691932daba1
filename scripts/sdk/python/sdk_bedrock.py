"""boto3's bedrock-runtime against models of foreign providers, and of its own. Run by scripts/sdk/run."""

import unittest

import boto3
import botocore.exceptions

import foreign

HELLO = [{"role": "user", "content": [{"text": "Hello"}]}]


def client(key=foreign.KEY):
    made = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=f"{foreign.BASE_URL}/bedrock")
    # Over HTTPS a bearer token does (AWS_BEARER_TOKEN_BEDROCK); the SDK sends none in the clear.
    made.meta.events.register("before-sign.bedrock-runtime", lambda request, **_: request.headers.add_header("x-bf-vk", key))
    return made


class Converse(unittest.TestCase):
    def test_an_answer_arrives(self):
        for provider, model, text in foreign.cases("text"):
            with self.subTest(provider):
                answer = client().converse(modelId=model, messages=HELLO, inferenceConfig={"maxTokens": 50})
                self.assertEqual(answer["output"]["message"]["content"][-1]["text"], text)
                self.assertGreater(answer["usage"]["outputTokens"], 0)

    def test_a_stream_arrives(self):
        for provider, model, text in foreign.cases("stream"):
            with self.subTest(provider):
                events = list(client().converse_stream(modelId=model, messages=HELLO)["stream"])
                deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
                words = "".join(delta.get("text", "") for delta in deltas)
                self.assertTrue(words.startswith(text), words)
                self.assertTrue(any("messageStop" in event for event in events))
                usage = next(event["metadata"]["usage"] for event in events if "metadata" in event)
                self.assertGreater(usage["outputTokens"], 0)

    def test_a_tool_is_called(self):
        for provider, model, (name, arguments) in foreign.cases("tool"):
            with self.subTest(provider):
                schema = {"json": {"type": "object", "properties": {}}}
                tools = {"tools": [{"toolSpec": {"name": name, "inputSchema": schema}}]}
                answer = client().converse(modelId=model, messages=HELLO, toolConfig=tools)
                self.assertEqual(answer["stopReason"], "tool_use")
                call = answer["output"]["message"]["content"][-1]["toolUse"]
                self.assertEqual((call["name"], call["input"]), (name, arguments))

    def test_refusals_are_errors_of_the_sdk(self):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            client("sk-nobody").converse(modelId="chat", messages=HELLO)
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 401)
        self.assertIn("key", caught.exception.response["Error"]["Message"])


if __name__ == "__main__":
    unittest.main()
