#!/usr/bin/env python3
"""Makes node/tests/costs.jsonl: what recorded answers cost, by the catalog's second source alone.

    pip install --target DIR genai-prices==VERSION    the one that node/catalog/catalog.json names
    PYTHONPATH=DIR scripts/golden_costs.py            reads ../shared/traffic

Usage is read and priced by genai-prices' own functions, as of the day the catalog was made, with
decimals. Costs are written exactly, in billionths of a dollar; the product rounds each class up. Of the
answers of one model and kind that count the same classes, the first few are kept.
"""

import collections
import datetime
import gzip
import json
import pathlib
import warnings
from decimal import Decimal

import genai_prices

ROOT = pathlib.Path(__file__).resolve().parent.parent
TRAFFIC = ROOT.parent / "shared/traffic"
CATALOG = ROOT / "node/catalog/catalog.json"
COSTS = ROOT / "node/tests/costs.jsonl"
KEPT_OF_A_KIND = 2

# Names of providers: in the traffic, here, and in genai-prices.
PROVIDERS = {
    "anthropic": ("anthropic", "anthropic"),
    "azure": ("azure-openai", "azure"),
    "bedrock": ("bedrock", "aws"),
    "cerebras": ("cerebras", "cerebras"),
    "cohere": ("cohere", "cohere"),
    "deepseek": ("deepseek", "deepseek"),
    "fireworks": ("fireworks", "fireworks"),
    "gemini": ("gemini", "google"),
    "groq": ("groq", "groq"),
    "mistral": ("mistral", "mistral"),
    "moonshot": ("moonshot", "moonshotai"),
    "openai": ("openai", "openai"),
    "perplexity": ("perplexity", "perplexity"),
    "vertex": ("vertex", "google"),
    "xai": ("xai", "x-ai"),
    "zai": ("zai", "zai"),
}
# What genai-prices calls the formats that it tells apart. The first that reads an answer is taken.
FLAVOURS = {
    "chat": ("chat", "default"),
    "responses": ("responses",),
    "messages": ("default", "anthropic"),
    "gemini_generate": ("default",),
    "converse": ("default",),
    "cohere_chat": ("default",),
    "embeddings": ("embeddings",),
    "images": ("images",),
}
# genai-prices' names of what is counted, with ours. Others are sums of these.
CLASSES = {
    "input_tokens": "input_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "input_audio_tokens": "audio_input_tokens",
    "cache_audio_read_tokens": "audio_cache_read_tokens",
    "input_image_tokens": "image_input_tokens",
    "output_tokens": "output_tokens",
    "output_reasoning_tokens": "reasoning_tokens",
    "output_audio_tokens": "audio_output_tokens",
    "output_image_tokens": "image_output_tokens",
    "web_searches": "web_searches",
}


def main():
    warnings.simplefilter("ignore")
    made_on = json.loads(CATALOG.read_text())["made_on"]
    day = datetime.datetime.fromisoformat(made_on).replace(tzinfo=datetime.timezone.utc)
    kept, rows, unknown = collections.Counter(), [], collections.Counter()
    for provider in PROVIDERS:
        for record in records(provider):
            row = cost(record, day)
            if row is None:
                continue
            kind = (row["provider"], row["model"], row["operation"], tuple(row["usage"]))
            kept[kind] += 1
            if kept[kind] <= KEPT_OF_A_KIND:
                rows.append(row)
            unknown.update(set(row.pop("others")) if kept[kind] == 1 else [])
            row.pop("others", None)
    rows.sort(key=lambda row: row["id"])
    COSTS.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    print(f"{COSTS.relative_to(ROOT)}: {len(rows)} costs; counted and left out: {dict(unknown)}")


def records(provider):
    with gzip.open(TRAFFIC / f"{provider}.jsonl.gz", "rt") as lines:
        for line in lines:
            record = json.loads(line)
            if record["operation"] in FLAVOURS and record["status"] == 200:
                yield record


def cost(record, day):
    """The row of an answer; `None` where genai-prices makes nothing of it."""
    try:
        answer = json.loads(record["response_body"])
    except ValueError:
        return None
    ours, theirs = PROVIDERS[record["provider"]]
    for flavour in FLAVOURS[record["operation"]]:
        try:
            found = genai_prices.extract_usage(answer, provider_id=theirs, api_flavor=flavour)
            model = record["model"] or found.model.id
            price = genai_prices.calc_price(
                found.usage, model, provider_id=theirs, genai_request_timestamp=day
            )
        except (LookupError, ValueError, AttributeError, TypeError):
            continue
        counts = {name: int(count) for name, count in found.usage.__dict__.items() if count}
        usage = {CLASSES[name]: counts[name] for name in CLASSES if name in counts}
        others = [name for name in counts if name not in CLASSES]
        nano_usd = (Decimal(price.total_price) * 10**9).normalize()
        return {
            "id": record["id"],
            "provider": ours,
            "model": model,
            "operation": record["operation"],
            "usage": usage,
            "nano_usd": f"{nano_usd:f}",
            "others": others,
        }
    return None


if __name__ == "__main__":
    main()
