"""Settings: what the environment may say, and what it is told when it may not."""

import os
import subprocess
import sys

import pytest

from shared.lab.variants import ROOT
from shared.lesson.embedded import running_upstreams
from shared.lesson.settings import (
    CHAT_DEADLINE,
    CHAT_MODEL,
    COLLECTION_NAME,
    CONNECT_DEADLINE,
    EMBEDDING_MODEL,
    LONGEST_DEADLINE,
    UPSTREAM_DEADLINE,
    Deadlines,
    SettingsError,
    from_environment,
)

BASE = {"CHROMA_URL": "http://127.0.0.1:1", "OPENAI_API_KEY": "hunter2"}

GOOD_URLS = {
    "an address and a port": "http://127.0.0.1:8000",
    "an address of version 6": "http://[::1]:8000/v1",
    "a name and a path": "https://api.example.com/openai/v1",
    "a name of one word, as in a container": "http://chroma_db:8000",
    "a name with its last dot": "http://localhost.:8000",
    "capitals": "HTTP://LOCALHOST",
    "a label of 63 letters": f"http://{'a' * 63}/v1",
}

BAD_URLS = {
    "no scheme": "127.0.0.1:8000",
    "another scheme": "ftp://127.0.0.1",
    "no host": "http:///v1",
    "an empty label": "http://a..b/v1",
    "a label of 64 letters": f"http://{'a' * 64}/v1",
    "a name of more than 253 letters": f"http://{'a.' * 127}a",
    "a label that begins with a hyphen": "http://-a/v1",
    "an address with a number too large": "http://127.0.0.256",
    "an address in a short form": "http://127.1",
    "an address of version 6 that is none": "http://[::g]",
    "an open bracket": "http://[::1",
    "letters behind a bracket": "http://[::1]x:80",
    "a percent sign in the host": "http://%61/v1",
    "port 0": "http://127.0.0.1:0",
    "a port too large": "http://127.0.0.1:65536",
    "a port that is no number": "http://127.0.0.1:x",
    "a space before it": " http://127.0.0.1",
    "a space in it": "http://127.0.0.1/a b",
    "a line break in it": "http://127.0.0.1/\nv1",
    "a control character in it": "http://127.0.0.1/\x01",
    "a letter outside ASCII": "http://b\xfccher.example",
    "a byte that is not text": "http://127.0.0.1/\udcff",
    "a query": "http://127.0.0.1/v1?a=b",
    "an empty query": "http://127.0.0.1/v1?",
    "a fragment": "http://127.0.0.1/v1#a",
    "more than 2,000 characters": f"http://127.0.0.1/{'a' * 2000}",
}

WITH_SECRETS = {
    "a user and a password": "http://ada:xyzzy@127.0.0.1",
    "a user": "http://xyzzy@127.0.0.1",
    "a password with a space": "http://ada:xyz zy@127.0.0.1",
    "a password and a bad host": "http://ada:xyzzy@a..b",
    "a password and a bad port": "http://ada:xyzzy@127.0.0.1:x",
    "a password in a query": "http://127.0.0.1/?password=xyzzy",
}

OTHERS = {
    "a key with a space": {"OPENAI_API_KEY": "hunter 2"},
    "a key with a line break": {"OPENAI_API_KEY": "hunter2\n"},
    "a key outside ASCII": {"OPENAI_API_KEY": "hunter\xb2"},
    "a model with a space": {"OPENAI_EMBEDDING_MODEL": "a b"},
    "a model that is not text": {"OPENAI_EMBEDDING_MODEL": "\udcff"},
    "a chat model with a space": {"OPENAI_CHAT_MODEL": "a b"},
    "a collection with two letters": {"CHROMA_COLLECTION": "ab"},
    "a collection that ends with a dot": {"CHROMA_COLLECTION": "papers."},
    "a collection with a slash": {"CHROMA_COLLECTION": "../x"},
    "a collection that is a query": {"CHROMA_COLLECTION": "x?y"},
}

DEADLINES = {"UPSTREAM_DEADLINE": UPSTREAM_DEADLINE, "CHAT_DEADLINE": CHAT_DEADLINE, "CONNECT_DEADLINE": CONNECT_DEADLINE}
BAD_DEADLINES = ["0", "-1", "nan", "inf", "1e-400", "600.1", "two", " "]


@pytest.mark.parametrize("url", GOOD_URLS.values(), ids=GOOD_URLS)
def test_good_urls(url: str) -> None:
    """A base URL is taken as it is, without its last slash."""
    settings = from_environment({**BASE, "OPENAI_BASE_URL": url, "CHROMA_URL": f"{url}/"})
    assert settings
    assert (settings.openai_url, settings.chroma_url) == (url, url)


@pytest.mark.parametrize("name", ["OPENAI_BASE_URL", "CHROMA_URL"])
@pytest.mark.parametrize("url", BAD_URLS.values(), ids=BAD_URLS)
def test_bad_urls(name: str, url: str) -> None:
    """A URL that some client could not call is refused before anything is served, in one line that names the setting."""
    with pytest.raises(SettingsError, match=f"^{name} must [^\n]*$"):
        from_environment({**BASE, name: url})


@pytest.mark.parametrize("url", WITH_SECRETS.values(), ids=WITH_SECRETS)
def test_a_password_in_a_url_is_not_shown(url: str) -> None:
    """A URL with a secret in it is refused in words that do not repeat it."""
    with pytest.raises(SettingsError) as caught:
        from_environment({**BASE, "CHROMA_URL": url})
    assert str(caught.value).startswith("CHROMA_URL must ")
    assert "xyz" not in str(caught.value)


def test_a_password_is_refused_as_such() -> None:
    """The message says that it is the password that is in the way."""
    with pytest.raises(SettingsError, match="must not hold a user name or a password"):
        from_environment({**BASE, "CHROMA_URL": WITH_SECRETS["a user and a password"]})


@pytest.mark.parametrize("wrong", OTHERS.values(), ids=OTHERS)
def test_other_settings_that_no_request_can_carry(wrong: dict[str, str]) -> None:
    """A key, a model or a collection that would spoil a request is named, and the key is not shown."""
    with pytest.raises(SettingsError, match=f"^{next(iter(wrong))} must [^\n]*$") as caught:
        from_environment({**BASE, **wrong})
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize("given", ["0.5", "600", ""])
@pytest.mark.parametrize("name", DEADLINES)
def test_a_deadline(name: str, given: str) -> None:
    """Each says how many seconds something may take; empty, it is as if it were not set. The others keep their defaults."""
    settings = from_environment({**BASE, name: given})
    assert settings
    seconds = float(given) if given else DEADLINES[name]
    assert settings.deadlines == Deadlines(*(DEADLINES | {name: seconds}).values())
    assert seconds <= LONGEST_DEADLINE


@pytest.mark.parametrize("real", [BASE, {}], ids=["real upstreams", "embedded ones"])
@pytest.mark.parametrize("given", BAD_DEADLINES)
@pytest.mark.parametrize("name", DEADLINES)
def test_a_bad_deadline(name: str, given: str, real: dict[str, str]) -> None:
    """A deadline that is not a number above 0 and up to 600 is refused, whichever upstreams are called."""
    with pytest.raises(SettingsError, match=rf"^{name} must be a number of seconds, more than 0 and at most 600\.$"):
        from_environment({**real, name: given})


def test_the_text_names_every_setting_and_its_default() -> None:
    """The chapter on search says what can be set, and what holds where it is not."""
    chapter = (ROOT / "shared" / "lesson" / "text" / "search.md").read_text(encoding="utf-8")
    names = (*DEADLINES, "CHROMA_URL", "CHROMA_COLLECTION", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_CHAT_MODEL")
    for text in (*names, EMBEDDING_MODEL, CHAT_MODEL, COLLECTION_NAME):
        assert f"`{text}`" in chapter, text
    assert f"| {', '.join(f'{seconds:g}' for seconds in DEADLINES.values())} |" in chapter


def test_the_deadline_holds_for_the_embedded_upstreams(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variant that brings its own upstreams along waits as long for them as the environment says."""
    monkeypatch.delenv("CHROMA_URL", raising=False)
    monkeypatch.setenv("UPSTREAM_DEADLINE", "7")
    with running_upstreams() as settings:
        assert settings.deadlines.answer == 7


def test_a_bad_setting_is_one_line_at_the_start() -> None:
    """A command that cannot use its settings ends with code 2 and says so in its last line, without a traceback."""
    code = "from shared.lesson.command import parse; parse('mine', ('asyncio',), [], reloads=False)"
    environment = {**os.environ, "UPSTREAM_DEADLINE": "0"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("more than 0 and at most 600.")
    assert "Traceback" not in done.stderr
