"""The comparison as data: what the page shows and `compare.json` holds."""

import os
import platform
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared.lab import traits, variants
from shared.lab.variants import Variant
from shared.lesson.character import TRAITS
from shared.lesson.contract import ENDPOINTS
from shared.workbook.results import Column, experiments, path

SCHEMA: Final = 1
"""The version of the format. It grows when a reader of the last one would no longer understand what it reads."""


def compare(known: Mapping[str, Column]) -> dict[str, Any]:
    """Return the comparison of what is known, ready for JSON.

    Its keys: `schema`; `made`, the time in ISO 8601; `machine`; `columns`, one for each variant on each event loop, with its
    versions and the tests that failed; `experiments`, each with its chapter, and for each column seconds, verdict and timeline;
    `character`, each trait with its question, its values with what they say and their sources, and for each column what was seen
    with the evidence, what is declared, and what its stack does by default where that differs.
    """
    return {
        "schema": SCHEMA,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "machine": platform.machine(),
            "processors": os.cpu_count(),
        },
        "columns": [
            {"label": label, "began": column.began, **column.identity, "failures": column.failures}
            for label, column in known.items()
        ],
        "experiments": [_experiment(name, known) for name in experiments(known)],
        "character": [_trait(key, known) for key in TRAITS],
    }


def _experiment(name: str, known: Mapping[str, Column]) -> dict[str, Any]:
    chapters = {endpoint.path: endpoint.module for endpoint in ENDPOINTS}
    results = {label: column.experiments[name] for label, column in known.items() if name in column.experiments}
    return {"name": name, "chapter": chapters.get(path(name), ""), "results": results}


def _trait(key: str, known: Mapping[str, Column]) -> dict[str, Any]:
    trait = TRAITS[key]
    seen = {label: column.character[key] for label, column in known.items() if key in column.character}
    declared = {label: stated[key] for label in known if key in (stated := _stated(label, traits.declared))}
    by_default = {label: stated[key] for label in known if key in (stated := _stated(label, traits.by_default))}
    return {
        "key": key,
        "question": trait.meaning,
        "matters": trait.matters,
        "values": {name: value.says for name, value in trait.values.items()},
        "sources": {name: dict(value.sources) for name, value in trait.values.items()},
        "seen": seen,
        "declared": declared,
        "by_default": by_default,
        "differs": len({one["value"] for one in seen.values()}) > 1,
    }


def _stated(label: str, read: Callable[[Variant], dict[str, str]]) -> dict[str, str]:
    """Return what a column's variant states; nothing where the variant is gone, or cannot be read."""
    try:
        return read(variants.named(label.partition("-")[0])[0])
    except (variants.VariantError, SyntaxError, ValueError):
        return {}
