"""Makes a plain text fit a screen: what counts in colours, and timelines no wider than there is room."""

import itertools
import re

from rich.text import Text

COLOURS = {
    r"(?m)^Verdict: Solved.*": "bold green",
    r"(?m)^Verdict: Not written.*": "bold yellow",
    r"(?m)^Verdict: (Not yet|Probably|Cannot|Could not|No verdict).*": "bold red",
    r"(variants|shared)/\w+/[\w/]+\.(py|md)(:\d+)?": "cyan",
    r"(?m)^(Goal|Read|Write|Repair|Design|Predict first|Predicted|Hint \d of \d|Probable cause):": "bold",
    r"(?m)^\+.*": "green",
    r"(?m)^-.*": "red",
}

BAR = re.compile(r"(  .*\|)([ =#]+)(\| .* s)")
"""A line of a timeline: a name, its bar, and the seconds."""

SHORTEST_BAR = 10


def coloured(text: str, width: int) -> Text:
    """Return a text with what counts in colours, for a screen that is so many characters wide."""
    shown = Text("\n".join(narrowed(line, width) for line in text.split("\n")))
    for pattern, style in COLOURS.items():
        shown.highlight_regex(pattern, style)
    return shown


def narrowed(line: str, width: int) -> str:
    """Return a line of a timeline with a bar so short that the line fits; any other line as it is."""
    parts = BAR.fullmatch(line)
    room = max(width - len(line) + len(parts[2]), SHORTEST_BAR) if parts else 0
    if parts is None or room >= len(parts[2]):
        return line
    edges = [round(number * len(parts[2]) / room) for number in range(room + 1)]
    # Of the signs that fall together the strongest stays: /ping had to wait, something was under way, nothing was.
    signs = (max(parts[2][start:end], key=" =#".index) for start, end in itertools.pairwise(edges))
    return f"{parts[1]}{''.join(signs)}{parts[3]}"
