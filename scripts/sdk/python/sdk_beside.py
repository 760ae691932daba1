"""Embeddings, rerankings and lists of models: SDKs and frameworks against foreign providers. Run by scripts/sdk/run."""

import unittest

import anthropic
import cohere
import langchain_openai
import litellm
import openai
from google import genai
from google.genai import types

import foreign

DOCUMENTS = ["a", "b", "c"]


class Embeddings(unittest.TestCase):
    def check(self, vector, expected):
        self.assertGreater(len(vector), 100)
        for number, told in zip(vector, expected):
            self.assertAlmostEqual(number, told, places=6)

    def test_openai_gets_vectors(self):
        client = openai.OpenAI(base_url=f"{foreign.BASE_URL}/v1", api_key=foreign.KEY, max_retries=0)
        for provider, model, expected in foreign.cases("embed"):
            for encoding in (openai.omit, "float"):
                with self.subTest(provider, encoding=encoding):
                    answer = client.embeddings.create(model=model, input="Hello", encoding_format=encoding)
                    self.check(answer.data[0].embedding, expected)
                    self.assertGreater(answer.usage.total_tokens, 0)

    def test_genai_gets_vectors(self):
        client = genai.Client(
            api_key=foreign.KEY, http_options=types.HttpOptions(base_url=f"{foreign.BASE_URL}/genai")
        )
        for provider, model, expected in foreign.cases("embed"):
            with self.subTest(provider):
                answer = client.models.embed_content(model=model, contents=["Hello"])
                self.check(answer.embeddings[0].values, expected)

    def test_cohere_gets_vectors(self):
        client = cohere.ClientV2(api_key=foreign.KEY, base_url=f"{foreign.BASE_URL}/cohere")
        for provider, model, expected in foreign.cases("embed"):
            with self.subTest(provider):
                answer = client.embed(
                    model=model, texts=["Hello"], input_type="search_document", embedding_types=["float"]
                )
                self.check(answer.embeddings.float_[0], expected)

    def test_langchain_gets_vectors(self):
        for provider, model, expected in foreign.cases("embed"):
            with self.subTest(provider):
                client = langchain_openai.OpenAIEmbeddings(
                    model=model, base_url=f"{foreign.BASE_URL}/langchain/v1", api_key=foreign.KEY,
                    check_embedding_ctx_length=False, max_retries=0,
                )
                self.check(client.embed_documents(["Hello"])[0], expected)

    def test_litellm_gets_vectors(self):
        for provider, model, expected in foreign.cases("embed"):
            with self.subTest(provider):
                answer = litellm.embedding(
                    model=f"openai/{model}", input=["Hello"], api_base=f"{foreign.BASE_URL}/litellm/v1",
                    api_key=foreign.KEY,
                )
                self.check(answer.data[0]["embedding"], expected)


class Rerank(unittest.TestCase):
    def test_cohere_gets_an_order(self):
        client = cohere.ClientV2(api_key=foreign.KEY, base_url=f"{foreign.BASE_URL}/cohere")
        for provider, model, expected in foreign.cases("rerank"):
            with self.subTest(provider):
                answer = client.rerank(model=model, query="?", documents=DOCUMENTS, top_n=2)
                self.assertEqual([[one.index, one.relevance_score] for one in answer.results], expected)

    def test_litellm_gets_an_order(self):
        for provider, model, expected in foreign.cases("rerank"):
            with self.subTest(provider):
                answer = litellm.rerank(
                    model=f"cohere/{model}", query="?", documents=DOCUMENTS, top_n=2, api_key=foreign.KEY,
                    api_base=f"{foreign.BASE_URL}/cohere/v2/rerank",
                )
                found = [[one["index"], one["relevance_score"]] for one in answer.results]
                self.assertEqual(found, expected)


class Models(unittest.TestCase):
    def test_each_sdk_lists_them(self):
        expected = {model for thing in ("text", "embed") for _, model, _ in foreign.cases(thing)}
        openai_client = openai.OpenAI(base_url=f"{foreign.BASE_URL}/v1", api_key=foreign.KEY)
        self.assertLessEqual(expected, {model.id for model in openai_client.models.list()})
        anthropic_client = anthropic.Anthropic(base_url=f"{foreign.BASE_URL}/anthropic", api_key=foreign.KEY)
        self.assertLessEqual(expected, {model.id for model in anthropic_client.models.list(limit=3)})
        genai_client = genai.Client(
            api_key=foreign.KEY, http_options=types.HttpOptions(base_url=f"{foreign.BASE_URL}/genai")
        )
        names = {model.name for model in genai_client.models.list(config={"page_size": 3})}
        self.assertLessEqual({f"models/{name}" for name in expected}, names)
        cohere_client = cohere.ClientV2(api_key=foreign.KEY, base_url=f"{foreign.BASE_URL}/cohere")
        self.assertLessEqual(expected, {model.name for model in cohere_client.models.list(page_size=1000).models})

    def test_tokens_are_counted(self):
        client = genai.Client(
            api_key=foreign.KEY, http_options=types.HttpOptions(base_url=f"{foreign.BASE_URL}/genai")
        )
        mistral = next(model for provider, model, _ in foreign.cases("text") if provider == "mistral")
        self.assertGreater(client.models.count_tokens(model=mistral, contents="Hello").total_tokens, 0)


if __name__ == "__main__":
    unittest.main()
