"""Changes as they happen."""

from typing import Annotated

from fastapi import Header
from fastapi.responses import StreamingResponse

from cardiotrace.server.api.routing import Shared, make_router

router = make_router("events")


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def follow(
    services: Shared, last_event_id: Annotated[str | None, Header(max_length=100)] = None
) -> StreamingResponse:
    """Every change of studies and jobs: `study`, `job`, `deleted`, and `resync` where too much was missed."""
    services.warm("analysis")  # a page is open: an exam may be dropped on it any moment
    services.warm("desk")  # or be looked at
    return StreamingResponse(services.hub.listen(last_event_id), media_type="text/event-stream")
