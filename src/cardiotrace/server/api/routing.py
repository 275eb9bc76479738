"""What all routes have in common: the shared parts, identifiers, and errors as answers."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.exceptions import HTTPException

from cardiotrace.core.errors import CardioTraceError, InputError, UsageError, WorkError, explained
from cardiotrace.server.api.schemas import ErrorAnswer
from cardiotrace.server.security.access import COOKIE
from cardiotrace.server.services import Services
from cardiotrace.server.store.studies import ConflictError, MissingError
from cardiotrace.server.work.pool import WorkerLostError

_LOG = logging.getLogger(__name__)
_EXPECTED = {
    400: "What was asked for cannot be used.",
    401: "The token is missing or wrong.",
    403: "From another page, or by a name that is not this server's.",
    404: "There is no such thing.",
    405: "This cannot be done with it.",
    409: "Something else was done meanwhile.",
    413: "More was sent than is taken.",
    422: "The question itself is wrong.",
    429: "Too many wrong tokens.",
    500: "A fault of the program.",
    502: "An archive does not answer, or refuses.",
    503: "The process that worked on it ended.",
    507: "There is no room.",
}
_FAULT = 500


class ArchiveError(WorkError):
    """An archive does not answer, or refuses: no fault of this server."""


_STATUS: Mapping[type[Exception], int] = {
    MissingError: 404,
    ConflictError: 409,
    InputError: 422,
    UsageError: 422,
    ArchiveError: 502,
    WorkerLostError: 503,
}


class NoRoomError(CardioTraceError):
    """The disk, or what may be used of it, is full."""


def services_of(request: Request) -> Services:
    """What the routes share."""
    services: Services = request.app.state.services
    return services


Shared = Annotated[Services, Depends(services_of)]
Identifier = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="As it was given when the thing was made.")]


# For the description alone: who asks was let in before any route is reached, see `security.access`.
_DOORS = (
    HTTPBearer(auto_error=False, description="The token, for scripts."),
    APIKeyCookie(name=COOKIE, auto_error=False),
)


def make_router(tag: str, *, is_open: bool = False) -> APIRouter:
    """A router whose description tells of errors and of the ways in as they are.

    Args:
        tag: what its routes are about.
        is_open: whether anybody may ask.
    """
    # FastAPI compiles a model for each status of each route, which a start waits for: one of them stands for all.
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{ErrorAnswer.__name__}"}}}
    told: dict[int, dict[str, Any]] = {status: {"content": content} for status in _EXPECTED} | {
        _FAULT: {"model": ErrorAnswer}
    }
    responses: dict[int | str, dict[str, Any]] = {
        status: {**told[status], "description": text} for status, text in _EXPECTED.items()
    }
    doors = [] if is_open else [Security(door) for door in _DOORS]
    return APIRouter(prefix="/api/v1", tags=[tag], responses=responses, dependencies=doors)


def error_answer(status: int, text: str, remedy: str | None = None, **more: Any) -> JSONResponse:
    """An error as an answer."""
    return JSONResponse({"error": {"text": text, "remedy": remedy}, **more}, status)


def add_error_answers(app: FastAPI) -> None:
    """Answer to every error in the form that the description tells."""
    app.add_exception_handler(RequestValidationError, _wrong_question)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(NoRoomError, _no_room)
    app.add_exception_handler(CardioTraceError, _told)
    app.add_exception_handler(WorkerLostError, _told)
    app.add_exception_handler(Exception, _fault)


async def _wrong_question(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return error_answer(422, f"{place}: {first['msg']}", "see /api/v1/openapi.json for what is expected.")


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    answer = error_answer(error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _no_room(_: Request, error: Exception) -> JSONResponse:
    known = explained(error)
    return error_answer(507, known.what, known.remedy or None)


async def _told(_: Request, error: Exception) -> JSONResponse:
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), _FAULT)
    if isinstance(error, WorkerLostError):
        return error_answer(status, "the process that worked on it ended", "try it again.")
    known = explained(error)
    return error_answer(status, known.what, known.remedy or None)


async def _fault(request: Request, error: Exception) -> JSONResponse:
    route = getattr(request.scope.get("route"), "path", "-")
    _LOG.error("%s %s failed", request.method, route, exc_info=error)
    return error_answer(_FAULT, f"unexpected {type(error).__name__}", "look at the server's log, and please report it.")
