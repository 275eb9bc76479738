"""Studies: the list, one with all that is known of it, its analysis, its end."""

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from fastapi.responses import FileResponse

from cardiotrace.server.api.leases import Person
from cardiotrace.server.api.routing import Identifier, Shared, make_router
from cardiotrace.server.api.schemas import (
    Analyse,
    ImageSchema,
    JobMade,
    JobState,
    Lease,
    Study,
    StudyList,
    Summary,
    image_schema,
)
from cardiotrace.server.desk.signing import measures_file
from cardiotrace.server.services import Services
from cardiotrace.server.store.journal import Document, accepted_flags, standing
from cardiotrace.server.store.studies import (
    ConflictError,
    MissingError,
    SortKey,
    StudyQuery,
    find_studies,
    get_study,
    iso,
)
from cardiotrace.server.store.tables import StudyRow
from cardiotrace.server.store.written import automatic_exam, read_json_file

router = make_router("studies")


@router.get("/studies")
def list_studies(
    services: Shared,
    search: Annotated[str, Query(max_length=200, description="A part of the name.")] = "",
    state: Annotated[JobState | None, Query(description="Only those that are so far.")] = None,
    sort: Annotated[SortKey, Query(description="By what they are sorted.")] = "created",
    order: Annotated[Literal["asc", "desc"], Query(description="The first the least, or the last.")] = "desc",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> StudyList:
    """Studies, the newest first unless another order is asked for."""
    query = StudyQuery(
        search=search.replace("\0", ""),
        state=state or "",
        sort=sort,
        descending=order == "desc",
        limit=limit,
        offset=offset,
    )
    with services.database.reading() as session:
        total, rows = find_studies(session, query)
    return StudyList(total=total, studies=[Summary(**services.summary(row)) for row in rows])


@router.get("/studies/{study}")
def show_study(study: Identifier, services: Shared) -> Study:
    """One study, with its images and what was measured."""
    with services.database.reading() as session:
        row = get_study(session, study)
    return Study(**services.summary(row), **_details(services, row))


@router.delete("/studies/{study}", status_code=204, response_class=Response)
def delete_study(study: Identifier, services: Shared, person: Person) -> None:
    """Delete a study: its files, what was found, and what was edited; not while somebody else edits it."""
    _require_free(services, study, person)
    services.delete(study)


@router.post("/studies/{study}/analyse", status_code=202)
def analyse_study(study: Identifier, services: Shared, person: Person, wanted: Analyse | None = None) -> JobMade:
    """Analyse a study again, with what is known better than its files say; not while somebody else edits it."""
    _require_free(services, study, person)
    options = (wanted or Analyse()).options.model_dump(exclude_none=True)
    with services.database.writing() as session:
        job = services.queue_analysis(session, get_study(session, study), options)
    services.jobs.wake()
    services.changed(job)
    return JobMade(job=job.id)


@router.get(
    "/studies/{study}/thumbnail",
    response_class=FileResponse,
    responses={200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}},
)
def show_thumbnail(study: Identifier, services: Shared) -> FileResponse:
    """A small picture of the study."""
    with services.database.reading() as session:
        get_study(session, study)
    path = services.data.study(study).automatic / "thumbnail.png"
    if not path.exists():
        raise MissingError("there is no picture yet", remedy="wait until the study is analysed.")
    return FileResponse(path, media_type="image/png", headers={"cache-control": "private, max-age=0"})


def _details(services: Services, row: StudyRow) -> dict[str, Any]:
    """What is known of a study beyond its summary."""
    folder = services.data.study(row.id).automatic
    exam = automatic_exam(folder)
    automatic = read_json_file(folder / "measures.json") if exam is not None else None
    measures = read_json_file(measures_file(services, row)) if exam is not None else None
    images = [] if exam is None else exam["images"]
    with services.database.reading() as session:
        document = Document(row.id, row.id, row.analysis or "")
        found = standing(session, document)
        accepted = accepted_flags(session, document, found)
    held = services.leases.of(row.id)
    return {
        "images": [_image(image, measures) for image in images],
        "measures": measures,
        "automatic": automatic,
        "left_out": [] if exam is None else exam["left_out"],
        "undo": len(found.done),
        "redo": len(found.undone),
        "lease": None if held is None else Lease(holder=held.holder, expires=iso(held.expires)),
        "accepted": accepted,
        "edits": row.edits,
        "options": row.options,
    }


def _image(image: dict[str, Any], measures: dict[str, Any] | None) -> ImageSchema:
    """An image with the key frames as they are measured now."""
    frames = (measures or {}).get("key_frames", ())
    measured = {found["phase"]: found["frame"] for found in reversed(frames) if found["image"] == image["name"]}
    return image_schema(image, {**image["phases"], **measured})


def _require_free(services: Services, study: str, person: str) -> None:
    """Leave a study alone that somebody else edits: what they did would no longer stand.

    Raises:
        ConflictError: somebody does.
    """
    held = services.leases.of(study)
    if held is not None and held.holder != person:
        raise ConflictError(f"{held.holder or 'somebody'} is editing this", remedy="wait until they are done.")
