"""LangChain, LiteLLM and Pydantic AI against models of foreign providers. Run by scripts/sdk/run."""

import json
import unittest

import langchain_anthropic
import langchain_google_genai
import langchain_openai
import litellm
import pydantic
import pydantic_ai
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

import foreign


def chats(model):
    """LangChain's chat models, each speaking its own dialect."""
    yield "openai", langchain_openai.ChatOpenAI(
        model=model, base_url=f"{foreign.BASE_URL}/langchain/v1", api_key=foreign.KEY, max_retries=0
    )
    yield "anthropic", langchain_anthropic.ChatAnthropic(
        model=model, base_url=f"{foreign.BASE_URL}/anthropic", api_key=foreign.KEY, max_retries=0, max_tokens=50
    )
    yield "google", langchain_google_genai.ChatGoogleGenerativeAI(
        model=model, base_url=f"{foreign.BASE_URL}/genai", api_key=foreign.KEY, max_retries=0
    )


def text_of(message):
    """The text of an answer, whether it is a text or a list of pieces."""
    content = message.content
    if isinstance(content, str):
        return content
    return "".join(piece if isinstance(piece, str) else piece.get("text", "") for piece in content)


class LangChain(unittest.TestCase):
    def test_an_answer_arrives(self):
        for provider, model, text in foreign.cases("text"):
            for dialect, chat in chats(model):
                with self.subTest(provider=provider, dialect=dialect):
                    self.assertEqual(text_of(chat.invoke("Hello")), text)

    def test_a_stream_arrives(self):
        for provider, model, text in foreign.cases("stream"):
            for dialect, chat in chats(model):
                with self.subTest(provider=provider, dialect=dialect):
                    words = "".join(text_of(chunk) for chunk in chat.stream("Hello"))
                    self.assertTrue(words.startswith(text), words)

    def test_a_tool_is_called(self):
        for provider, model, (name, arguments) in foreign.cases("tool"):
            tool = {"type": "function", "function": {
                "name": name, "description": "A tool.", "parameters": {"type": "object", "properties": {}},
            }}
            for dialect, chat in chats(model):
                with self.subTest(provider=provider, dialect=dialect):
                    call = chat.bind_tools([tool]).invoke("Hello").tool_calls[0]
                    self.assertEqual((call["name"], call["args"]), (name, arguments))


class LiteLlm(unittest.TestCase):
    def ask(self, model, prefix="openai", base="/litellm/v1", **more):
        return litellm.completion(
            model=f"{prefix}/{model}",
            messages=[{"role": "user", "content": "Hello"}],
            api_base=f"{foreign.BASE_URL}{base}",
            api_key=foreign.KEY,
            max_tokens=50,
            num_retries=0,
            **more,
        )

    def test_an_answer_arrives(self):
        for provider, model, text in foreign.cases("text"):
            for prefix, base in (("openai", "/litellm/v1"), ("anthropic", "/anthropic")):
                with self.subTest(provider=provider, dialect=prefix):
                    answer = self.ask(model, prefix, base)
                    self.assertEqual(answer.choices[0].message.content, text)

    def test_a_stream_arrives(self):
        for provider, model, text in foreign.cases("stream"):
            with self.subTest(provider):
                words = "".join(chunk.choices[0].delta.content or "" for chunk in self.ask(model, stream=True))
                self.assertTrue(words.startswith(text), words)

    def test_a_tool_is_called(self):
        for provider, model, (name, arguments) in foreign.cases("tool"):
            with self.subTest(provider):
                tool = {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
                call = self.ask(model, tools=[tool]).choices[0].message.tool_calls[0]
                self.assertEqual((call.function.name, json.loads(call.function.arguments)), (name, arguments))


class PydanticAi(unittest.TestCase):
    def models(self, model):
        openai = OpenAIProvider(base_url=f"{foreign.BASE_URL}/pydanticai/v1", api_key=foreign.KEY)
        yield "openai", OpenAIChatModel(model, provider=openai)
        anthropic = AnthropicProvider(base_url=f"{foreign.BASE_URL}/anthropic", api_key=foreign.KEY)
        yield "anthropic", AnthropicModel(model, provider=anthropic)

    def test_an_answer_arrives(self):
        for provider, model, text in foreign.cases("text"):
            for dialect, speaking in self.models(model):
                with self.subTest(provider=provider, dialect=dialect):
                    self.assertEqual(pydantic_ai.Agent(speaking).run_sync("Hello").output, text)

    def test_an_object_has_its_type(self):
        for provider, model, expected in foreign.cases("object"):
            fields = {name: (type(value), ...) for name, value in expected.items()}
            output = pydantic_ai.NativeOutput(pydantic.create_model("Answer", **fields))
            for dialect, speaking in self.models(model):
                if dialect == "anthropic":
                    # It takes only some of Anthropic's own models to be able to.
                    continue
                with self.subTest(provider=provider, dialect=dialect):
                    agent = pydantic_ai.Agent(speaking, output_type=output)
                    self.assertEqual(agent.run_sync("Hello").output.model_dump(), expected)


if __name__ == "__main__":
    unittest.main()
