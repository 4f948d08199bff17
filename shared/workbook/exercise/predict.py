"""Predictions: what a reader expects, and what the reference does on the stack that the reader chose."""

from collections.abc import Sequence

from shared.lab.experiment import Ask, run
from shared.lab.readers import leave
from shared.lab.server import Server, ServerError, serving
from shared.lab.shutdown import go_down
from shared.lab.stream import events
from shared.lab.talk import Hear, start
from shared.lab.variants import named
from shared.lesson.contract import SOCKET
from shared.workbook.exercise.contents import predictions
from shared.workbook.exercise.exercises import Prediction
from shared.workbook.exercise.mine import BLANK, Mine
from shared.workbook.exercise.progress import Progress

WARM = (Ask("/ping"), Ask("/threaded?seconds=0"), Ask("/search-demo?query=warm", "POST"))


def due(mine: Mine, chapter: str, progress: Progress) -> list[Prediction]:
    """Return the predictions of a chapter that the reader has not made yet; none where there is no reference to measure."""
    asked = [one for one in predictions() if one.chapter == chapter and one.name not in progress.predicted]
    return asked if mine.base != BLANK else []


def measure(prediction: Prediction, base: str) -> float:
    """Return what was asked for, in seconds to a hundredth, as it is on a variant.

    Args:
        prediction: What to measure.
        base: The variant.

    """
    method, _, path = prediction.request.partition(" ")
    if prediction.until == "gone":
        return round(go_down(named(base)[0], {"a request": Ask(path, method)}, calls=1).seconds, 2)
    with serving(named(base)[0]) as server:
        run(server, WARM)
        if prediction.until == "work":
            _, seen = leave(server, path, prediction.leaves_after, Ask(path).wait)
            return round(seen.calls[0].seconds, 2)
        if method == SOCKET:
            return round(_first_told(server, path, prediction.starts), 2)
        seen = run(server, [Ask(path, method)] * prediction.count)
        if prediction.until == "first":
            answer = seen.answers[0]
            return round(events(answer)[0].received - answer.sent, 2)
        return round(seen.seconds, 2)


def _first_told(server: Server, path: str, starts: Sequence[float]) -> float:
    """Start tasks in a conversation; return how long after the first word the first result was told, in seconds."""
    steps = [start(f"task{number}", seconds) for number, seconds in enumerate(starts, start=1)]
    talk = run(server, [Ask(path, SOCKET, says=(*steps, Hear("done")))]).answers[0].talk
    told = talk.first("done")
    if told is None:
        raise ServerError(f"In the conversation nothing was told to be done: {talk.error or talk.missed}.")
    return told.at - talk.said[0]


def side_by_side(prediction: Prediction, progress: Progress, *, under_way: bool = False) -> str:
    """Return prediction and measurement in one line, and when it was measured, why; or that this is under way."""
    said, took = progress.predicted.get(prediction.name), progress.measured.get(prediction.name)
    yours = "no prediction" if said is None else f"you said {said:g} s"
    measured = ("being measured …" if under_way else "not measured yet") if took is None else f"measured {took:.2f} s"
    close = said is not None and took is not None and abs(said - took) <= max(0.25 * took, 0.1)
    line = f"{yours:<16} | {measured:<16}{' | well predicted' if close else ''}"
    return line if took is None else f"{line}\n  {prediction.because}"
