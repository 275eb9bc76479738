"""The server itself: whether it works, how much it does, what it is."""

import os
import time
from collections.abc import Iterator

from fastapi import APIRouter, Response
from sqlalchemy import func, select

from cardiotrace import __version__
from cardiotrace.server.api.routing import Shared, make_router
from cardiotrace.server.api.schemas import About, Health, ModelSchema
from cardiotrace.server.services import Services
from cardiotrace.server.store.studies import kept_bytes
from cardiotrace.server.store.tables import JobRow, StudyRow
from cardiotrace.server.work.tasks import Order

_guarded = make_router("system")
_open = make_router("system", is_open=True)
LIMITS = "Research software, not a medical device: no diagnosis may rest on it."


@_open.get("/system/health")
def tell_health(services: Shared) -> Health:
    """Whether the server works; anybody may ask."""
    services.database.check()
    return Health(status="ok")


@_guarded.get(
    "/system/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def tell_metrics(services: Shared) -> Response:
    """Counts and sizes, as Prometheus reads them."""
    return Response("\n".join(_metrics(services)) + "\n", media_type="text/plain; version=0.0.4")


@_guarded.get("/system/about")
async def tell_about(services: Shared) -> About:
    """What this program is, which models it has, and what it may not be used for."""
    if services.models is None:
        services.models = await services.pool.ask("desk", Order("models"))
    models = [ModelSchema(**model) for model in services.models]
    return About(
        version=__version__,
        language=services.config.language,
        models=models,
        limits=LIMITS,
        upload_bytes=int(services.config.upload_gib * 2**30),
    )


def _metrics(services: Services) -> Iterator[str]:
    with services.database.reading() as session:
        states = session.execute(select(StudyRow.state, func.count()).group_by(StudyRow.state)).all()
        jobs = session.execute(
            select(JobRow.kind, JobRow.state, func.count()).group_by(JobRow.kind, JobRow.state)
        ).all()
        kept = kept_bytes(session)
    yield from _gauge("studies", "Studies by state.", {f'state="{state}"': count for state, count in states})
    by_kind = {f'kind="{kind}",state="{state}"': count for kind, state, count in jobs}
    yield from _gauge("jobs", "Jobs by kind and state.", by_kind)
    yield from _gauge("kept_bytes", "Content of all studies.", {"": kept})
    yield from _gauge("free_bytes", "Room on the disk.", {"": services.data.free_bytes()})
    yield from _gauge("listeners", "Pages that follow changes.", {"": services.hub.listeners})
    running = {f'kind="{kind}"': count for kind, count in services.pool.processes().items()}
    yield from _gauge("workers", "Processes that are warm, by kind.", running)
    yield from _gauge("resident_bytes", "Memory of the server process.", {"": resident_bytes()})
    yield from _gauge("uptime_seconds", "Since the server was started.", {"": round(time.time() - services.started, 1)})


def _gauge(name: str, told: str, values: dict[str, float]) -> Iterator[str]:
    yield f"# HELP cardiotrace_{name} {told}"
    yield f"# TYPE cardiotrace_{name} gauge"
    for labels, value in values.items():
        yield f"cardiotrace_{name}{{{labels}}} {value}" if labels else f"cardiotrace_{name} {value}"


def resident_bytes(pid: int | str = "self") -> int:
    """Memory that a process holds; 0 where the system does not tell."""
    try:
        with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123 -- no file of anybody's
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


router = APIRouter()
router.include_router(_guarded)
router.include_router(_open)
