"""Images of a study: pixels, labels and traces, as containers and JSON."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Path as InPath
from fastapi import Query, Request, Response

from cardiotrace.server.api.files import content_answer, made_answer
from cardiotrace.server.api.routing import Identifier, Shared, make_router
from cardiotrace.server.desk.current import current_labels, current_traces, tag_of
from cardiotrace.server.desk.drawing import drawn_file
from cardiotrace.server.services import Services
from cardiotrace.server.store.edit_tables import PlaneRow
from cardiotrace.server.store.journal import planes_of
from cardiotrace.server.store.studies import MissingError, get_study
from cardiotrace.server.store.written import automatic_exam, read_json_file

router = make_router("images")
ARRAY = "application/x-cardiotrace-array"
_NEAR = ("127.0.0.1", "::1", "testclient")
"""Where compressing pixels takes longer than sending them."""
CONTAINER: dict[int | str, dict[str, Any]] = {
    200: {"content": {ARRAY: {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "The browser has it already."},
}
PLANES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}},
    304: {"description": "The browser has it already."},
}

ImageName = Annotated[str, InPath(min_length=1, max_length=300, description="As the study lists it.")]
Of = Annotated[Literal["current", "automatic"], Query(description="As it is now, or as it was found.")]


@router.get("/studies/{study}/images/{name}/frames", response_class=Response, responses=CONTAINER)
def show_frames(study: Identifier, name: ImageName, request: Request, services: Shared) -> Response:
    """Pixels of all frames."""
    path, digest = file_of(services, study, name, "frames")
    is_far = (request.client.host if request.client else "") not in _NEAR
    return content_answer(request, path, ARRAY, digest, compressed=is_far)


@router.get("/studies/{study}/images/{name}/labels", response_class=Response, responses=CONTAINER)
def show_labels(study: Identifier, name: ImageName, request: Request, services: Shared, of: Of = "current") -> Response:
    """Labels of all frames."""
    path, digest, planes = _standing(services, study, name, "labels", of)
    if not any(plane.labels for plane in planes):
        return content_answer(request, path, ARRAY, digest, compressed=True)
    tag = tag_of(digest, planes)
    return made_answer(request, lambda: current_labels(path, planes, services.blobs), ARRAY, tag)


@router.get("/studies/{study}/images/{name}/traces", response_class=Response, responses=PLANES)
async def show_traces(
    study: Identifier, name: ImageName, request: Request, services: Shared, of: Of = "current"
) -> Response:
    """Contours, long axes and disks of all planes."""
    labels, _, planes = await asyncio.to_thread(_standing, services, study, name, "labels", of)
    path = await drawn_file(services, study, name, labels.stem)
    tag = tag_of(f"{path.parent.name}-{labels.stem}", planes)  # an analysis draws each image once
    if not planes:
        return content_answer(request, path, "application/json", tag, compressed=True)
    return await asyncio.to_thread(
        made_answer,
        request,
        lambda: current_traces(read_json_file(path)["planes"], planes),
        "application/json",
        tag,
    )


def _standing(services: Services, study: str, name: str, kind: str, of: Of) -> tuple[Path, str, Sequence[PlaneRow]]:
    """A file that the analysis wrote, its digest, and the planes that are edited where these are asked for."""
    path, digest = file_of(services, study, name, kind)
    with services.database.reading() as session:
        return path, digest, planes_of(session, study, name) if of == "current" else ()


def file_of(services: Services, study: str, name: str, kind: str) -> tuple[Path, str]:
    """A file that the analysis wrote of an image, and the digest of its content."""
    file = f"{image_of(services, study, name)['file']}.{kind}"
    folder = services.data.study(study).automatic
    exam = automatic_exam(folder)
    if exam is None or file not in exam["digests"]:
        raise MissingError("there is nothing of this kind of the image", remedy="no model traced it.")
    return folder / file, exam["digests"][file]


def image_of(services: Services, study: str, name: str) -> dict[str, Any]:
    """What the analysis says of an image."""
    with services.database.reading() as session:
        get_study(session, study)
    exam = automatic_exam(services.data.study(study).automatic)
    found: dict[str, Any] | None = next(
        (each for each in (exam or {"images": ()})["images"] if each["name"] == name), None
    )
    if found is None:
        raise MissingError("there is no such image", remedy="look at the images of the study.")
    return found
