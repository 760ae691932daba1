"""Providers whose credential is more than a header, against doubles that check each field. Run by scripts/sdk/run."""

import json
import unittest
import urllib.error
import urllib.parse
import urllib.request

import boto3

import clouds
import foreign

HOST = clouds.serve()
PRICE = {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}
HELLO = [{"role": "user", "content": "Hello, wörld & co."}]
ARN = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc"
SERVICE_ACCOUNT = {
    "type": "service_account",
    "client_email": "proof@example.iam.gserviceaccount.com",
    "private_key": clouds.PEM.decode(),
    "private_key_id": "k1",
    "token_uri": f"{HOST}/token",
}
# For each provider: its kind, its base URL, its credential, and by the name callers use, what the cloud calls a model
# and which record answers.
PROVIDERS = {
    "signed": ("bedrock", "/bedrock", clouds.KEYS | {"region": clouds.REGION}, {
        "text": ("us.maker.model-v1:0", "bedrock-converse-d80d160c06"),
        "stream": ("eu.maker.streams-v1:0", "bedrock-converse_stream-228dac8d79"),
        "arn": (ARN, "bedrock-converse-d80d160c06"),
        "invoked": ("anthropic.claude-3-haiku-20240307-v1:0", "bedrock-invoke-410fc87bd5"),
        "titan": ("amazon.titan-tg1-large", "bedrock-invoke-7ca9b9713a"),
    }),
    "account": ("vertex", "/vertex/v1/projects/p/locations/l", SERVICE_ACCOUNT, {
        "text": ("gemini-2.5-flash", "vertex-gemini_generate-9bc0da597d"),
        "stream": ("gemini-2.5-pro", "vertex-gemini_stream-547311a583"),
        "claude": ("claude-3-7-sonnet@20250219", "vertex-messages-ffd6fa783b"),
    }),
    "app": ("azure", "/azure/openai?api-version=2024-10-21", clouds.APP | {"authority": HOST}, {
        "text": ("my-deployment", "azure-chat-13f667480d"),
    }),
    "app-v1": ("azure", "/azure/openai/v1", clouds.APP | {"authority": HOST}, {
        "text": ("my-model", "azure-chat-53496583fd"),
    }),
}


def setUpModule():
    for name, (kind, path, credential, models) in PROVIDERS.items():
        clouds.Cloud.models |= dict(models.values())
        models = [
            {"name": model, "upstream_name": theirs, "price": PRICE, "output_tokens_max": 4096, "input_tokens_max": 99_999}
            for model, (theirs, _) in models.items()
        ]
        foreign.admin("PUT", f"providers/{name}", {
            "kind": kind,
            "base_url": HOST + path,
            "credentials": [{"secret": json.dumps(credential)}],
            "models": models,
            "allow_private_network": True,
        })


def post(path, body):
    """What the node answers."""
    headers = {"x-bf-vk": foreign.KEY, "content-type": "application/json"}
    request = urllib.request.Request(foreign.BASE_URL + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def chat(model, **more):
    return post("/v1/chat/completions", {"model": model, "messages": HELLO} | more)


class Clouds(unittest.TestCase):
    def setUp(self):
        clouds.Cloud.faults.clear()
        clouds.Cloud.asked.clear()

    def tearDown(self):
        self.assertEqual(clouds.Cloud.faults, [])

    def test_requests_to_bedrock_carry_the_signature_that_botocore_computes(self):
        self.assertIn("EIGHT", json.loads(chat("signed/text"))["choices"][0]["message"]["content"])
        self.assertEqual(clouds.Cloud.asked, ["/bedrock/model/us.maker.model-v1%3A0/converse"])

    def test_an_arn_is_one_segment_of_the_path_that_is_signed(self):
        chat("signed/arn")
        self.assertEqual(clouds.Cloud.asked, [f"/bedrock/model/{urllib.parse.quote(ARN, safe='')}/converse"])

    def test_a_stream_is_signed_and_arrives(self):
        self.assertIn(b"data: [DONE]", chat("signed/stream", stream=True))
        self.assertTrue(clouds.Cloud.asked[0].endswith("/converse-stream"), clouds.Cloud.asked)

    def test_boto3_invokes_models_of_two_makers_through_the_node(self):
        made = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=f"{foreign.BASE_URL}/bedrock")
        key = lambda request, **_: request.headers.add_header("x-bf-vk", foreign.KEY)
        made.meta.events.register("before-sign.bedrock-runtime", key)
        bodies = {
            "invoked": {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 10, "messages": HELLO},
            "titan": {"inputText": "Hello", "textGenerationConfig": {"maxTokenCount": 10}},
        }
        for model, body in bodies.items():
            with self.subTest(model):
                answer = made.invoke_model(modelId=f"signed/{model}", body=json.dumps(body))
                recorded = foreign.body_of(foreign.record(PROVIDERS["signed"][3][model][1]))
                self.assertEqual(answer["body"].read(), recorded)

    def test_a_service_account_is_issued_a_token_for_gemini_and_claude(self):
        for model in ("text", "claude"):
            with self.subTest(model):
                self.assertTrue(json.loads(chat(f"account/{model}"))["choices"][0]["message"]["content"])
        self.assertIn(b"data: [DONE]", chat("account/stream", stream=True))
        verbs = [path.rpartition("/publishers/")[2] for path in clouds.Cloud.asked]
        self.assertEqual(verbs, [
            "google/models/gemini-2.5-flash:generateContent",
            "anthropic/models/claude-3-7-sonnet@20250219:rawPredict",
            "google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
        ])
        self.assertIn("ya29.proof", clouds.Cloud.issued)

    def test_an_application_of_entras_asks_deployments_and_the_version_1_paths(self):
        for provider in ("app", "app-v1"):
            chat(f"{provider}/text")
        self.assertEqual(clouds.Cloud.asked, [
            "/azure/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21",
            "/azure/openai/v1/chat/completions",
        ])
        self.assertIn("ey.proof", clouds.Cloud.issued)

    def test_a_signature_with_another_secret_is_seen(self):
        wrong = clouds.KEYS | {"secret_access_key": "another", "region": clouds.REGION}
        models = [{"name": "text", "upstream_name": "us.maker.model-v1:0", "price": PRICE, "output_tokens_max": 64}]
        foreign.admin("PUT", "providers/forged", {
            "kind": "bedrock",
            "base_url": HOST + "/bedrock",
            "credentials": [{"secret": json.dumps(wrong)}],
            "models": models,
            "allow_private_network": True,
        })
        with self.assertRaises(urllib.error.HTTPError) as caught:
            chat("forged/text")
        self.assertEqual(caught.exception.code, 502)
        self.assertTrue(clouds.Cloud.faults and all("signature" in fault for fault in clouds.Cloud.faults))
        clouds.Cloud.faults.clear()


if __name__ == "__main__":
    unittest.main()
