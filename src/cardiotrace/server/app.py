"""The application: routes, what guards them, and what runs beside them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
from fastapi import FastAPI
from starlette.types import ASGIApp, Scope

from cardiotrace import __version__
from cardiotrace.server.api import events, images, jobs, studies, system, uploads
from cardiotrace.server.api.page import STATIC, add_page
from cardiotrace.server.api.routing import add_error_answers
from cardiotrace.server.security.access import Access
from cardiotrace.server.security.bounds import LARGEST_BODY, Bounds
from cardiotrace.server.services import Services

_THREADS = 12
"""Requests that wait for the database or the disk at a time."""
_ROUTERS = (uploads.router, studies.router, images.router, jobs.router, events.router, system.router)


def make_app(services: Services, *, page: Path = STATIC) -> FastAPI:
    """The application without its guards: for its description, and for tests of the routes.

    Args:
        services: what the routes share.
        page: folder of the built page.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        await services.start()
        try:
            yield
        finally:
            await services.close()

    app = FastAPI(
        title="CardioTrace",
        version=__version__,
        description="Exams of the heart: sent, traced, measured, corrected. Research software, not a medical device.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its pages load from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = services
    for router in _ROUTERS:
        app.include_router(router)
    add_error_answers(app)
    add_page(app, page)
    return app


def guarded(services: Services, *, page: Path = STATIC) -> ASGIApp:
    """The application as it is served: who asks is checked, what is sent is bounded."""
    config = services.config
    app: ASGIApp = make_app(services, page=page)
    app = Access(app, token=services.token, hosts=config.hosts, is_encrypted=config.has_tls)
    upload = int(config.upload_gib * 2**30)

    def largest(scope: Scope) -> int:
        return upload if scope["path"].startswith("/api/v1/uploads/") else LARGEST_BODY

    return Bounds(app, is_encrypted=config.has_tls, largest_of=largest)
