"""Tests of scripts/catalog.py, without a network: python3 -m unittest discover scripts"""

import datetime
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import catalog
import catalog_sources as sources

LITELLM = """{
  "sample_spec": {"litellm_provider": "one of", "mode": "chat", "input_cost_per_token": 0.0},
  "claude": {
    "litellm_provider": "anthropic", "mode": "chat", "max_input_tokens": 200000.0,
    "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
    "cache_creation_input_token_cost": 3.75e-06, "cache_creation_input_token_cost_above_1hr": 6e-06,
    "input_cost_per_token_above_200k_tokens_batches": 3e-06, "input_cost_per_token_batches": 1.5e-06,
    "supports_vision": true, "supports_audio_input": false, "deprecation_date": "2026-11-30"
  },
  "deepseek-chat": {"litellm_provider": "deepseek", "mode": "chat", "input_cost_per_token": 9e-07},
  "deepseek/deepseek-chat": {"litellm_provider": "deepseek", "mode": "chat", "input_cost_per_token": 2e-07},
  "vertex_ai/claude@1": {"litellm_provider": "vertex_ai-anthropic_models", "mode": "chat"},
  "dashscope/tiered": {"litellm_provider": "dashscope", "mode": "chat", "tiered_pricing": [
    {"range": [0, 256000.0], "input_cost_per_token": 5e-08},
    {"range": [256000.0, 1000000.0], "input_cost_per_token": 2.5e-07}]},
  "pictures": {"litellm_provider": "openai", "mode": "image_generation", "output_cost_per_image": 0.04}
}"""

GENAI = """
providers = [Provider(id='anthropic', models=[
    ModelInfo(id='claude', match=ClauseOr(or_=[ClauseEquals(equals='claude'), ClauseRegex(regex='^claude-\\\\d{8}$')]),
        prices=[
            ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('9'))),
            ConditionalPrice(constraint=StartDateConstraint(start_date=datetime.date(2026, 1, 1)),
                prices=ModelPrice(input_mtok=TieredPrices(base=Decimal('3'), tiers=[]), output_mtok=Decimal('15'))),
            ConditionalPrice(constraint=StartDateConstraint(start_date=datetime.date(2027, 1, 1)),
                prices=ModelPrice(input_mtok=Decimal('2.5'))),
            ConditionalPrice(constraint=TimeOfDateConstraint(start_time=datetime.time(0, 30)),
                prices=ModelPrice(input_mtok=Decimal('1'))),
        ])])]
"""


def opinion():
    return sources.SecondOpinion(GENAI, datetime.date(2026, 6, 1))


class Reading(unittest.TestCase):
    def setUp(self):
        self.models = sources.read_litellm(LITELLM)

    def test_prices_are_exact_integers(self):
        prices = self.models["anthropic"]["claude"]["prices"]
        self.assertEqual(prices["cache_write"], 3_750_000_000)
        self.assertEqual(prices["cache_write_1h"], 6_000_000_000)
        self.assertEqual(sources.per_million("0.0000000000000001"), 1, "what is left over counts as one")

    def test_tiers_and_services_have_their_place(self):
        prices = self.models["anthropic"]["claude"]["prices"]
        self.assertEqual(prices["batches"], {"input": 1_500_000_000, "above": {"200000": {"input": 3_000_000_000}}})
        tiered = self.models["dashscope"]["tiered"]["prices"]
        self.assertEqual(tiered, {"input": 50_000_000, "above": {"256000": {"input": 250_000_000}}})

    def test_limits_and_abilities_are_kept(self):
        entry = self.models["anthropic"]["claude"]
        self.assertEqual(entry["input_max"], 200_000)
        self.assertEqual(entry["supports"], ["vision"])
        self.assertEqual(entry["deprecated_on"], "2026-11-30")

    def test_names_lose_their_provider_and_the_fuller_name_wins(self):
        self.assertEqual(self.models["deepseek"]["deepseek-chat"]["prices"]["input"], 200_000_000)
        self.assertIn("claude@1", self.models["vertex_ai"])

    def test_the_example_is_no_model(self):
        self.assertNotIn("one of", self.models)

    def test_prices_by_other_units_say_which(self):
        self.assertEqual(self.models["openai"]["pictures"]["prices"], {"units": {"output_image": 40_000_000_000_000}})


class Comparing(unittest.TestCase):
    def test_the_price_of_today_and_the_announced_one(self):
        now, announced = opinion().find("anthropic", "claude-20260101")
        self.assertEqual(now, {"input": 3_000_000_000, "output": 15_000_000_000})
        self.assertEqual(announced, [("2027-01-01", {"input": 2_500_000_000})])
        self.assertIsNone(opinion().find("anthropic", "claude-next"))

    def compared(self, price, old=None, decisions=None):
        models = {"anthropic": {"claude": {"mode": "chat", "prices": {"input": price}}}}
        held_back = catalog.compare(models, opinion(), old or {}, decisions or {})
        return models["anthropic"]["claude"], held_back

    def test_within_one_percent_is_agreement(self):
        entry, held_back = self.compared(3_030_000_000)
        self.assertEqual((entry["prices"], held_back), ({"input": 3_030_000_000}, []))

    def test_a_disagreement_is_held_back_without_a_price(self):
        entry, held_back = self.compared(3_100_000_000)
        self.assertNotIn("prices", entry)
        self.assertEqual(held_back[0]["model"], "anthropic/claude")

    def test_a_disagreement_keeps_the_price_it_had(self):
        old = {"anthropic": {"claude": {"mode": "chat", "prices": {"input": 7}}}}
        entry, _ = self.compared(3_100_000_000, old)
        self.assertEqual(entry["prices"], {"input": 7})

    def test_a_decision_settles_it(self):
        for decision, price in (("litellm", 4_000_000_000), ("genai-prices", 3_000_000_000)):
            entry, held_back = self.compared(4_000_000_000, decisions={"anthropic/claude": decision})
            self.assertEqual((entry["prices"]["input"], held_back), (price, []))

    def test_a_name_with_a_region_is_not_compared(self):
        for name in ("eu.claude", "us-gov-east-1/claude", "us/claude"):
            self.assertTrue(catalog.REGION.match(name), name)
        self.assertFalse(catalog.REGION.match("anthropic.claude"))


class Guarding(unittest.TestCase):
    def test_losing_many_models_is_refused(self):
        old = {"p": {str(n): {} for n in range(100)}}
        self.assertEqual(catalog.guard(old, {"p": {str(n): {} for n in range(98)}}), [])
        self.assertEqual(len(catalog.guard(old, {"p": {str(n): {} for n in range(97)}})), 1)

    def test_a_price_that_jumps_is_refused_both_ways(self):
        cheap, dear = ({"p": {"m": {"prices": {"input": price}}}} for price in (10, 51))
        self.assertEqual(len(catalog.guard(cheap, dear)), 1)
        self.assertEqual(len(catalog.guard(dear, cheap)), 1)
        self.assertEqual(catalog.guard(cheap, {"p": {"m": {"prices": {"input": 50}}}}), [])


class Rendering(unittest.TestCase):
    def test_one_model_is_one_line_and_all_of_it_is_json(self):
        models = sources.read_litellm(LITELLM)
        text = catalog.render({"made_on": "2026-06-01", "packages": {}, "held_back": [], "models": models})
        self.assertEqual(json.loads(text)["models"], models)
        self.assertEqual(sum(line.startswith('"claude":') for line in text.splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
