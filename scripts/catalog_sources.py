"""Readers of the two packages that model prices come from. Neither package is installed or run.

Prices leave here as integers: nano-USD per million units (tokens, images, seconds, ...). They are read
as decimals; a float would round 3.75e-06 badly.
"""

import ast
import datetime
import json
import re
from decimal import ROUND_CEILING, Decimal

NANO_USD = 10**9
MILLION = 10**6

# litellm spreads some providers over several names.
PROVIDERS = {
    "azure_text": "azure",
    "bedrock_converse": "bedrock",
    "cohere_chat": "cohere",
    "text-completion-openai": "openai",
    "text-completion-codestral": "mistral",
    "vertex_ai-text-models": "vertex_ai",
}

# Price fields of a token model, with what they are called here.
TOKEN_PRICES = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "cache_read_input_audio_token_cost": "audio_cache_read",
    "cache_read_input_token_cost_per_audio_token": "audio_cache_read",
    "output_cost_per_audio_token": "audio_output",
    "input_cost_per_image_token": "image_input",
    "output_cost_per_image_token": "image_output",
}
SERVICES = ("batches", "flex", "priority")
# Prices by other units; the name here says the unit.
UNIT_PRICES = {
    f"{way}_cost_per_{unit}": f"{way}_{unit}"
    for way in ("input", "output")
    for unit in ("image", "second", "character", "query", "pixel", "request")
}
UNIT_PRICES |= {"ocr_cost_per_page": "page", "cost_per_second": "second"}

# genai-prices' names of the same things.
SECOND_OPINION_PRICES = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
}
SECOND_OPINION_PROVIDERS = {
    "anthropic": "anthropic",
    "azure": "azure",
    "bedrock": "aws",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "groq": "groq",
    "mistral": "mistral",
    "moonshot": "moonshotai",
    "openai": "openai",
    "perplexity": "perplexity",
    "together_ai": "together",
    "vertex_ai": "google",
    "voyage": "voyageai",
    "xai": "x-ai",
    "zai": "zai",
}


def per_million(price):
    """Dollars per unit, a decimal in text, as nano-USD per million units; rounded up."""
    return int((Decimal(price) * NANO_USD * MILLION).to_integral_value(ROUND_CEILING))


def read_litellm(text):
    """`{provider: {model: entry}}` of litellm's JSON file."""
    models = {}
    for key, raw in json.loads(text, parse_float=Decimal).items():
        provider = raw.get("litellm_provider")
        if key == "sample_spec" or not provider or not raw.get("mode"):
            continue
        provider = PROVIDERS.get(provider, provider)
        # `vertex_ai-anthropic_models` and its like are one provider.
        provider = provider.split("-")[0] if provider.startswith("vertex_ai-") else provider
        prefix = f"{raw['litellm_provider'].split('-')[0]}/"
        model = key.removeprefix(prefix).removeprefix(f"{provider}/")
        prefixed = model != key
        known = models.setdefault(provider, {})
        # The same model with and without its provider's name: the fuller name is the fresher entry.
        if model not in known or prefixed:
            known[model] = litellm_entry(raw)
    return models


def litellm_entry(raw):
    """One entry of ours from one of litellm's."""
    entry = {"mode": raw["mode"]}
    prices = litellm_prices(raw)
    if prices:
        entry["prices"] = prices
    for theirs, ours in (("max_input_tokens", "input_max"), ("max_output_tokens", "output_max")):
        # A few are written as floats or text.
        if str(raw.get(theirs, "")).replace(".", "", 1).isdigit() and Decimal(str(raw[theirs])) > 0:
            entry[ours] = int(Decimal(str(raw[theirs])))
    abilities = sorted(
        name.removeprefix("supports_")
        for name, value in raw.items()
        if name.startswith("supports_") and value is True
    )
    if abilities:
        entry["supports"] = abilities
    if re.fullmatch(r"\d{4}-\d\d-\d\d", raw.get("deprecation_date", "")):
        entry["deprecated_on"] = raw["deprecation_date"]
    return entry


def litellm_prices(raw):
    """The prices of one of litellm's entries, by tier and class of service."""
    prices = {}
    for name, value in raw.items():
        if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
            continue
        if name in UNIT_PRICES:
            prices.setdefault("units", {})[UNIT_PRICES[name]] = per_million(value)
            continue
        where, field = place_of(name)
        if field is None:
            continue
        place = prices
        for step in where:
            place = place.setdefault(step, {})
        place[field] = per_million(value)
    for tier in raw.get("tiered_pricing") or []:
        tier_prices(prices, tier)
    search_price(prices, raw)
    return prices


def search_price(prices, raw):
    """Adds the price of a search of the web: the dearest, where it depends on how much of it is read."""
    searches = raw.get("search_context_cost_per_query") or {}
    costs = [cost for cost in searches.values() if isinstance(cost, (int, Decimal))]
    if max(costs, default=0) > 0:
        # Perplexity's models search for every request, and are charged by request.
        unit = "input_request" if raw["litellm_provider"] == "perplexity" else "web_search"
        prices.setdefault("units", {})[unit] = per_million(max(costs))


def place_of(name):
    """Where a price field belongs: `(path, field)`; the field is `None` for what is not kept."""
    where = []
    for service in SERVICES:
        if name.endswith(f"_{service}"):
            where.append(service)
            name = name.removesuffix(f"_{service}")
    tier = re.fullmatch(r"(.+)_above_(\d+)k_tokens", name)
    if tier:
        where += ["above", str(int(tier.group(2)) * 1000)]
        name = tier.group(1)
    return where, TOKEN_PRICES.get(name)


def tier_prices(prices, tier):
    """Adds one entry of `tiered_pricing`: prices from so many input tokens on."""
    start = tier.get("range", [None])[0]
    if start is None:
        return
    place = prices
    if Decimal(str(start)) > 0:
        place = prices.setdefault("above", {}).setdefault(str(int(Decimal(str(start)))), {})
    for theirs, ours in TOKEN_PRICES.items():
        if isinstance(tier.get(theirs), (int, Decimal)):
            place[ours] = per_million(tier[theirs])


class SecondOpinion:
    """The prices of genai-prices, by provider and model name."""

    def __init__(self, source, today):
        self.today = today
        self.providers = {}
        for call in ast.walk(ast.parse(source)):
            if name_of(call) == "Provider":
                fields = fields_of(call)
                self.providers[ast.literal_eval(fields["id"])] = [
                    fields_of(model) for model in fields["models"].elts
                ]

    def find(self, provider, model):
        """`(prices today, [(start, prices)] announced)` of a model, or `None`."""
        theirs = SECOND_OPINION_PROVIDERS.get(provider)
        for fields in self.providers.get(theirs, []):
            if matches(fields["match"], model.lower()):
                return self.prices(fields["prices"])
        return None

    def prices(self, node):
        if name_of(node) == "ModelPrice":
            return base_prices(node), []
        now, announced = {}, []
        for conditional in node.elts:
            fields = fields_of(conditional)
            constraint = fields.get("constraint")
            if name_of(constraint) == "StartDateConstraint":
                start = date_of(fields_of(constraint)["start_date"])
                if start > self.today:
                    announced.append((start.isoformat(), base_prices(fields["prices"])))
                    continue
            elif constraint is not None and not is_none(constraint):
                continue  # by time of day
            now = base_prices(fields["prices"])
        return now, announced


def base_prices(node):
    """Integer prices of a `ModelPrice`, lowest tier."""
    prices = {}
    for theirs, value in fields_of(node).items():
        if name_of(value) == "TieredPrices":
            value = fields_of(value)["base"]
        if theirs in SECOND_OPINION_PRICES and name_of(value) == "Decimal":
            price = Decimal(ast.literal_eval(value.args[0])) * NANO_USD
            prices[SECOND_OPINION_PRICES[theirs]] = int(price.to_integral_value(ROUND_CEILING))
    return prices


def matches(node, model):
    """Whether a `match` clause of genai-prices matches a model's name."""
    kind, fields = name_of(node), fields_of(node)
    if kind == "ClauseOr":
        return any(matches(clause, model) for clause in fields["or_"].elts)
    if kind == "ClauseAnd":
        return all(matches(clause, model) for clause in fields["and_"].elts)
    text = ast.literal_eval(next(iter(fields.values())))
    match kind:
        case "ClauseEquals":
            return model == text
        case "ClauseStartsWith":
            return model.startswith(text)
        case "ClauseEndsWith":
            return model.endswith(text)
        case "ClauseContains":
            return text in model
        case "ClauseRegex":
            return re.search(text, model) is not None
    raise ValueError(f"genai-prices has a clause we do not know: {kind}")


def name_of(node):
    return getattr(getattr(node, "func", None), "id", None)


def fields_of(node):
    return {keyword.arg: keyword.value for keyword in node.keywords}


def date_of(node):
    return datetime.date(*(ast.literal_eval(argument) for argument in node.args))


def is_none(node):
    return isinstance(node, ast.Constant) and node.value is None
