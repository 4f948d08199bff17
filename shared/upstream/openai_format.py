"""What is common to the endpoints of OpenAI's interface: errors, keys and the names of models.

The format is that of the API reference (https://platform.openai.com/docs/api-reference, and its guide to error codes). The tests
in `tests/clients` hold it against OpenAI's own client.
"""

import re
from typing import Any

from aiohttp import web

from shared.upstream.watched import Answer
from shared.upstream.witness import SeenCall

_KEY = re.compile(r"Bearer [!-~]+", re.IGNORECASE)


class RefusedError(Exception):
    """A request is refused.

    Attributes:
        status: The HTTP status.
        param: The parameter that is wrong, if one is.
        code: The name of the error, where OpenAI has one.

    """

    def __init__(self, message: str, *, status: int = 400, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code

    def answer(self) -> web.Response:
        """Return the error as OpenAI writes it."""
        error = {"message": str(self), "type": "invalid_request_error", "param": self.param, "code": self.code}
        return web.json_response({"error": error}, status=self.status)


def orderly(answer: Answer) -> Answer:
    """Wrap an endpoint: it is asked with a key, and what it refuses is answered as OpenAI answers it."""

    async def endpoint(request: web.Request, body: Any, call: SeenCall) -> web.StreamResponse:  # noqa: ANN401 - JSON is any
        try:
            _check_key(request.headers.get("Authorization", ""))
            return await answer(request, body, call)
        except RefusedError as error:
            return error.answer()

    return endpoint


def read_object(body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is any
    """Return a body that is a JSON object."""
    if not isinstance(body, dict):
        raise RefusedError("The body of the request must be a JSON object.")
    return body


def read_model(body: dict[str, Any], *families: str) -> str:
    """Return the model that a request names; its name must begin with that of a family that can do what is asked for."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RefusedError("You must provide a model parameter.", param="model")
    if not model.startswith(families):
        raise RefusedError(f"The model '{model}' does not exist here.", status=404, param="model", code="model_not_found")
    return model


def _check_key(given: str) -> None:
    """Refuse what carries no key, whichever, in the form of https://www.rfc-editor.org/rfc/rfc6750#section-2.1."""
    if not _KEY.fullmatch(given):
        message = "No API key: send one in the header, as 'Authorization: Bearer YOUR_KEY'."
        raise RefusedError(message, status=401, code="invalid_api_key" if given else None)
