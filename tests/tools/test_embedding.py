"""The stand-in for an embedding model: its vectors, and what they find."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.upstream.documents import DOCUMENTS, Document
from shared.upstream.embedding import embed, nearest

ROOT = Path(__file__).parents[2]

STRANGE_TEXTS = {
    "nothing": "",
    "spaces": " \t\n",
    "signs": "?! -- ___ \N{HOT BEVERAGE}",
    "only stop words": "what is it about",
    "other scripts": "四半期報告 отчёт för Größe",
    "half a surrogate pair": "\ud800 report",
    "one long word": "x" * 1_000,
    "many words": " ".join(f"word{number}" for number in range(1_000))[:1_000],
}
strange_texts = pytest.mark.parametrize("text", STRANGE_TEXTS.values(), ids=STRANGE_TEXTS.keys())


def titles(query: str, count: int = 1) -> list[str]:
    """Return the titles of the documents nearest to a query."""
    return [document.title for document, _ in nearest(embed(query), count)]


def distance(query: str, title: str) -> float:
    """Return how far a query is from the document of that title."""
    return next(far for document, far in nearest(embed(query), len(DOCUMENTS)) if document.title == title)


def fastest(work: Callable[[], object]) -> float:
    """Return the shortest of 20 runs, in seconds: noise makes a run longer, never shorter."""

    def once() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return min(once() for _ in range(20))


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("Q4 report", "Q4 report"),
        ("q4 results", "Q4 report"),
        ("Q3 report", "Q3 report"),
        ("budget", "Budget for next year"),
        ("budgt", "Budget for next year"),
        ("how much money can we spend", "Budget for next year"),
        ("how do I book travel", "Travel expenses"),
        ("hotel receipt", "Travel expenses"),
        ("new employee", "Onboarding"),
        ("holiday", "Holidays"),
        ("hollidays", "Holidays"),
        ("vacation days", "Holidays"),
        ("time off", "Holidays"),
        ("phishing mail", "Security incidents"),
        ("who is on call", "On-call rota"),
        ("alerts at night", "On-call rota"),
        ("coffee", "Office coffee machine"),
        ("maternity leave", "Parental leave"),
        ("migrate the database", "Database migration runbook"),
        ("why is my server slow", "Async Python guidelines"),
        ("why is my server slow / blocking the event loop", "Async Python guidelines"),
        ("asyncio gather", "Async Python guidelines"),
        ("why do customers cancel", "Customer churn analysis"),
        ("how much does it cost", "Pricing"),
        ("roadmap", "Product roadmap"),
        ("agenda of the team meeting", "Meeting notes"),
        ("job interview", "Hiring plan"),
        ("broken laptop", "Laptops and equipment"),
        ("work from home", "Remote work"),
        ("personal data", "Data protection and GDPR"),
        ("invoice payment", "Invoices and payments"),
        ("support on Saturdays", "Support hours"),
        ("logo", "Brand guidelines"),
        ("restore a backup", "Backups"),
        ("supplier contract", "Vendor contracts"),
        ("password reset", "Passwords and sign-in"),
        ("I am ill", "Sick leave"),
        ("undo a release", "Deployment checklist"),
        ("pull request", "Code review"),
        ("429 Too Many Requests", "API rate limits"),
    ],
)
def test_a_plain_query_finds_first_what_a_person_expects(query: str, title: str) -> None:
    """The document that a person would look for comes first."""
    assert titles(query) == [title]


@pytest.mark.parametrize("query", ["reports", "revenue", "quarterly results"])
def test_a_query_that_fits_two_documents_finds_both(query: str) -> None:
    """Where either quarter may be meant, the two reports come before all else."""
    assert set(titles(query, 2)) == {"Q4 report", "Q3 report"}


@pytest.mark.parametrize(("meant", "other"), [("Q4 report", "Q3 report"), ("Q3 report", "Q4 report")])
def test_the_quarter_tells_the_reports_apart(meant: str, other: str) -> None:
    """The other quarter's report shares a word with the query, and is still clearly farther away."""
    # Measured: 0.14 and 0.81. Half of that gap would still be clear.
    assert distance(meant, other) - distance(meant, meant) > 0.3


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.id)
def test_every_document_is_found_by_its_title(document: object) -> None:
    """No document stands in the shadow of another."""
    assert nearest(embed(document.title), 1)[0][0] is document
