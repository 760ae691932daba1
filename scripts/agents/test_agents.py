"""Coding agents through a running node: each takes one turn with a command in it. Run by scripts/agents/run.

Each agent asks in its own dialect, once a provider that speaks it as well, once one that speaks another.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import provider

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "sdk" / "python"))
import foreign

HERE = pathlib.Path(__file__).resolve().parent
AGENTS = HERE / "node_modules" / ".bin"
WITHIN_S = 120
SAID = f"The command said {provider.MARK}."
PRICE = {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}
MODEL = {"name": "m", "price": PRICE, "output_tokens_max": 64_000, "input_tokens_max": 1_000_000}

# Providers by the dialect they are asked in.
KINDS = {"messages": "anthropic", "chat": "openai-compatible", "responses": "openai"}


def setUpModule():
    host = provider.serve()
    for dialect, kind in KINDS.items():
        foreign.admin("PUT", f"providers/agents-{dialect}", {
            "kind": kind,
            "base_url": f"{host}/v1",
            "credentials": [{"secret": "sk-upstream"}],
            "models": [MODEL],
            "allow_private_network": True,
        })


class Agents(unittest.TestCase):
    def run_agent(self, *command, files=(), **environment):
        """Runs an agent in a home and a folder of its own; what it wrote."""
        with tempfile.TemporaryDirectory() as home:
            work = pathlib.Path(home, "work")
            work.mkdir()
            for name, text in files:
                work.joinpath(name).write_text(text)
            known = {"PATH": os.environ["PATH"], "HOME": home, "CODEX_HOME": home, "NO_COLOR": "1", **environment}
            ended = subprocess.run(
                [AGENTS / command[0], *command[1:]], cwd=work, env=known, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=WITHIN_S, check=False,
            )
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        return ended.stdout

    def test_claude_code(self):
        for dialect in ("messages", "chat"):
            with self.subTest(dialect):
                said = self.run_agent(
                    "claude", "-p", "Run it", "--model", f"agents-{dialect}/m", "--output-format", "json",
                    "--dangerously-skip-permissions",
                    ANTHROPIC_BASE_URL=f"{foreign.BASE_URL}/anthropic", ANTHROPIC_API_KEY=foreign.KEY, IS_SANDBOX="1",
                    ANTHROPIC_SMALL_FAST_MODEL=f"agents-{dialect}/m", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
                )
                self.assertEqual(json.loads(said)["result"], SAID)

    def test_codex(self):
        for dialect in ("responses", "messages"):
            with self.subTest(dialect):
                at = {"name": "b", "base_url": f"{foreign.BASE_URL}/openai/v1", "env_key": "KEY", "wire_api": "responses"}
                fields = ",".join(f"{name}={json.dumps(value)}" for name, value in at.items())
                said = self.run_agent(
                    "codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox",
                    "-c", "model_provider=b", "-c", f"model_providers.b={{{fields}}}", "-m", f"agents-{dialect}/m", "Run it",
                    KEY=foreign.KEY,
                )
                self.assertIn(SAID, said)

    def test_opencode(self):
        for dialect in ("chat", "messages"):
            with self.subTest(dialect):
                model = f"agents-{dialect}/m"
                options = {"baseURL": f"{foreign.BASE_URL}/v1", "apiKey": foreign.KEY}
                speaks = {"npm": "@ai-sdk/openai-compatible", "name": "b", "options": options, "models": {model: {}}}
                config = {"provider": {"b": speaks}, "permission": {"bash": "allow"}}
                said = self.run_agent(
                    "opencode", "run", "-m", f"b/{model}", "Run it",
                    files=[("opencode.json", json.dumps(config))], OPENCODE_DISABLE_AUTOUPDATE="1",
                )
                self.assertIn(SAID, said)


if __name__ == "__main__":
    unittest.main()
