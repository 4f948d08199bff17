"""Every question that a chooser asks beside how a stack behaves, which `character.py` states: a closed list."""

from shared.lesson.choosing_around import AROUND
from shared.lesson.choosing_code import CODE
from shared.lesson.question import Question

QUESTIONS: dict[str, Question] = {**CODE, **AROUND}
"""Every key: first what the code asks for, then what stands around it."""
