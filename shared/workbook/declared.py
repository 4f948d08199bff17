"""Writes the README's table of where the stacks differ, from what the variants declare: `python -m shared.workbook.declared`."""

import sys
from pathlib import Path
from typing import Final

from shared.lab import traits, variants
from shared.lab.variants import ROOT, Variant
from shared.lesson.character import TRAITS
from shared.workbook.compare.page import words

PAGE: Final = ROOT / "README.md"
BEGIN: Final = "<!-- From here on `nox -s declared` writes. -->\n"
END: Final = "<!-- Up to here. -->\n"


def markdown(root: Path = ROOT) -> str:
    """Return the table: a row for each trait, a column for each variant; bold is what fewer than half of them have."""
    names = list(variants.groups(root))
    found = [variants.named(name, root)[0] for name in names]
    lines = [f"| | {' | '.join(f'`{name}`' for name in names)} |", f"|---|{'---|' * len(names)}"]
    for key, trait in TRAITS.items():
        values = [_cell(variant, key) for variant in found]
        cells = [f"**{value}**" if values.count(value) < len(values) / 2 else value for value in values]
        lines.append(f"| {trait.meaning} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(variant: Variant, key: str) -> str:
    value, default = words(traits.declared(variant).get(key, "not stated")), traits.by_default(variant).get(key)
    return f"{value} (by default: {words(default)})" if default else value


def written(text: str, table: str) -> str:
    """Return a page's text with the table between its marks.

    Raises:
        ValueError: The page does not have both marks, once each and in their order.

    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in after:
        raise ValueError("The page needs both marks, once each, in their order.")
    return f"{before}{begin}{table}{end}{after}"


def main(page: Path = PAGE) -> None:
    """Write the table into the page."""
    try:
        page.write_text(written(page.read_text(encoding="utf-8"), markdown()), encoding="utf-8", newline="\n")
    except ValueError as error:
        sys.exit(f"{page.name}: {error}")


if __name__ == "__main__":
    main()
