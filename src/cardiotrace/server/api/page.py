"""The page itself, as it was built; where it was not, one line says how to build it."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent.parent / "static"
_FOR_EVER = "private, max-age=31536000, immutable"
_MISSING = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>CardioTrace</title>"
    "<p>The page is not built yet: <code>make web</code> builds it. The interface for programs is at "
    "<a href=/api/v1/openapi.json>/api/v1/openapi.json</a>."
)


class _Page(StaticFiles):
    """Files of the page; what has a digest in its name stays the same for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file."""
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = _FOR_EVER if path.startswith("assets/") else "no-cache"
        return answer


class _Elsewhere(Mount):
    """All paths but those of the interface, which answers to wrong ones itself."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether it answers."""
        if scope["path"].startswith("/api/"):
            return Match.NONE, {}
        return super().matches(scope)


def add_page(app: FastAPI, folder: Path = STATIC) -> None:
    """Show the page at `/`; add it last, since it answers to every other path."""
    if (folder / "index.html").exists():
        app.router.routes.append(_Elsewhere("/", _Page(directory=folder, html=True)))
        return

    @app.get("/", include_in_schema=False)
    def tell_how_to_build() -> HTMLResponse:
        return HTMLResponse(_MISSING)
