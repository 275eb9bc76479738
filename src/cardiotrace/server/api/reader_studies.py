"""Reader studies: several people trace the same exams, none of them seeing what was found or what others drew."""

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import BackgroundTasks, Request, Response
from fastapi import Path as InPath
from sqlalchemy import select
from sqlalchemy.orm import Session

from cardiotrace.server.api.editing_schemas import (
    EDITING,
    LEASED,
    Edited,
    EditSchema,
    LeaseMade,
    NewReaderStudy,
    ReaderStudySchema,
    ReadingSchema,
    ReadingStudy,
)
from cardiotrace.server.api.edits import answer
from cardiotrace.server.api.files import made_answer
from cardiotrace.server.api.images import ARRAY, CONTAINER, PLANES, ImageName, Of, file_of, image_of
from cardiotrace.server.api.leases import LeaseToken, Person, leased, taken, told
from cardiotrace.server.api.routing import Identifier, Shared, make_router
from cardiotrace.server.api.schemas import image_schema
from cardiotrace.server.desk.current import current_labels, current_traces, no_traces, tag_of
from cardiotrace.server.desk.editing import Target, study_params
from cardiotrace.server.desk.signing import outputs_file
from cardiotrace.server.services import Services
from cardiotrace.server.store.edit_tables import PlaneRow, ReaderStudyRow, ReadingRow
from cardiotrace.server.store.journal import changes, planes_of, reading_document, standing
from cardiotrace.server.store.readings import delete_reader_study
from cardiotrace.server.store.studies import ConflictError, MissingError, get_study, iso
from cardiotrace.server.store.written import automatic_exam, read_json_file
from cardiotrace.server.work.task import Order

router = make_router("reader studies")
Group = Annotated[str, InPath(pattern="^[0-9a-f]{16}$", description="Of the reader study.")]


@router.post("/reader-studies", status_code=201)
def new_reader_study(wanted: NewReaderStudy, services: Shared) -> ReaderStudySchema:
    """Let some people trace some exams, each by themselves."""
    readers = list(dict.fromkeys(" ".join(reader.split()) for reader in wanted.readers))
    group = ReaderStudyRow(id=secrets.token_hex(8), name=" ".join(wanted.name.split()), created=time.time())
    with services.database.writing() as session:
        session.add(group)
        session.flush()
        for number, study in enumerate(dict.fromkeys(wanted.studies)):
            Target(study).of(session)
            session.add_all(
                ReadingRow(
                    id=secrets.token_hex(8), reader_study=group.id, study=study, reader=reader, number=number, version=0
                )
                for reader in readers
            )
        session.flush()
        return _plain(session, group)


@router.get("/reader-studies")
def list_reader_studies(services: Shared) -> list[ReaderStudySchema]:
    """All of them, the newest first."""
    with services.database.reading() as session:
        rows = session.scalars(select(ReaderStudyRow).order_by(ReaderStudyRow.created.desc()))
        return [_plain(session, row) for row in rows]


@router.get("/reader-studies/{group}")
def show_reader_study(group: Group, services: Shared) -> ReaderStudySchema:
    """How far the readers are."""
    with services.database.reading() as session:
        return _plain(session, _group(session, group))


@router.delete("/reader-studies/{group}", status_code=204, response_class=Response)
def remove_reader_study(group: Group, services: Shared) -> None:
    """Delete it with all that its readers drew; the exams stay as they are."""
    with services.database.writing() as session:
        deleted = delete_reader_study(session, _group(session, group))
    for study, reading in deleted.readings:
        services.data.study(study).forget_outputs(reading)
    for digest in deleted.digests:
        services.blobs.remove(digest)


@router.get("/reader-studies/{group}/readings/{study}")
def open_reading(group: Group, study: Identifier, services: Shared, person: Person) -> ReadingStudy:
    """An exam for one reader: without what was found. Their time begins with it."""
    with services.database.writing() as session:
        reading = _reading(session, group, study, person)
        if reading.opened is None:
            reading.opened = time.time()
        document = reading_document(reading.id, study)
        found = standing(session, document)
    exam = automatic_exam(services.data.study(study).automatic) or {"images": []}
    measures = read_json_file(outputs_file(services, document, reading.version)) if reading.version else None
    images = [image_schema(each, _phases(each, measures)) for each in exam["images"]]
    return ReadingStudy(
        id=reading.id,
        study=study,
        reader=reading.reader,
        version=reading.version,
        images=images,
        measures=measures,
        undo=len(found.done),
        redo=len(found.undone),
        done=None if reading.done is None else iso(reading.done),
    )


def _phases(image: dict[str, Any], measures: dict[str, Any] | None) -> dict[str, int]:
    """End-diastole and end-systole as the files name them, or the reader's own; never as they were found."""
    name = image["name"]
    named: dict[str, int] = image.get("named_phases", {})  # an analysis of former times says nothing of these
    if measures is None:
        return named
    measured = {each["phase"]: each["frame"] for each in reversed(measures["key_frames"]) if each["image"] == name}
    edited = (each["phases"] for each in measures["provenance"].get("edited", ()) if each["name"] == name)
    return {**named, **measured, **next(edited, {})}


@router.post("/reader-studies/{group}/readings/{study}/lease", response_model=LeaseMade, responses=LEASED)
def take_reading_lease(
    group: Group, study: Identifier, services: Shared, person: Person, afterwards: BackgroundTasks
) -> LeaseMade | Response:
    """Take the lease of a reading."""
    reading = _find(services, group, study, person)
    return taken(services, Target(study, reading), person, afterwards)


@router.put("/reader-studies/{group}/readings/{study}/lease", response_model=LeaseMade, responses=LEASED)
def renew_reading_lease(
    group: Group, study: Identifier, services: Shared, person: Person, x_lease: LeaseToken = ""
) -> LeaseMade | Response:
    """Say that one still works on it."""
    reading = _find(services, group, study, person)
    held = services.leases.renew(reading, x_lease)
    return told(held) if held is not None else leased(services, reading, 423)


@router.delete("/reader-studies/{group}/readings/{study}/lease", status_code=204, response_class=Response)
def give_reading_lease_back(
    group: Group, study: Identifier, services: Shared, person: Person, x_lease: LeaseToken = ""
) -> None:
    """Let it be opened elsewhere."""
    services.leases.give_back(_find(services, group, study, person), x_lease)


@router.post("/reader-studies/{group}/readings/{study}/edits", response_model=Edited, responses=EDITING)
async def edit_reading(
    group: Group, study: Identifier, wanted: EditSchema, services: Shared, person: Person, x_lease: LeaseToken = ""
) -> Edited | Response:
    """Do one gesture in a reading; its journal is the reader's own."""
    reading = await asyncio.to_thread(_find, services, group, study, person)
    return await answer(services, Target(study, reading), wanted, person, x_lease)


@router.get(
    "/reader-studies/{group}/readings/{study}/images/{name}/labels", response_class=Response, responses=CONTAINER
)
def reading_labels(
    group: Group,
    study: Identifier,
    name: ImageName,
    request: Request,
    services: Shared,
    person: Person,
    of: Of = "current",
) -> Response:
    """Labels as the reader drew them so far; or as they begin, which is with nothing."""
    reading, (path, digest) = _find(services, group, study, person), file_of(services, study, name, "labels")
    planes = _planes(services, reading, name, of)
    tag = tag_of(f"{digest}{reading}", planes)
    return made_answer(request, lambda: current_labels(path, planes, services.blobs, is_blank=True), ARRAY, tag)


@router.get("/reader-studies/{group}/readings/{study}/images/{name}/traces", response_class=Response, responses=PLANES)
def reading_traces(
    group: Group,
    study: Identifier,
    name: ImageName,
    request: Request,
    services: Shared,
    person: Person,
    of: Of = "current",
) -> Response:
    """Outlines as the reader drew them so far; or as they begin, which is with none."""
    reading, image = _find(services, group, study, person), image_of(services, study, name)
    planes = _planes(services, reading, name, of)
    traces = no_traces(image["frames"], image["slices"])
    return made_answer(request, lambda: current_traces(traces, planes), "application/json", tag_of(reading, planes))


@router.post("/reader-studies/{group}/readings/{study}/done")
def end_reading(group: Group, study: Identifier, services: Shared, person: Person) -> ReadingSchema:
    """Say that a reading is done: nothing of it changes any more."""
    with services.database.writing() as session:
        reading = _reading(session, group, study, person)
        if reading.done is not None:
            raise ConflictError("this reading is done already")
        if reading.version == 0:
            raise ConflictError("nothing was drawn in this reading", remedy="draw first.")
        reading.done = time.time()
        return _reading_plain(reading)


@router.get(
    "/reader-studies/{group}/agreement.{form}",
    response_class=Response,
    responses={200: {"content": {"application/json": {}, "text/csv": {}}}},
)
async def show_agreement(group: Group, form: Literal["csv", "json"], services: Shared) -> Response:
    """How well the readers agree, by pairs, on the exams that both have done."""
    readings = await asyncio.to_thread(_done_readings, services, group)
    order = Order("agreement", {"readings": readings}, str(services.data.root))
    found: dict[str, Any] = await services.pool.ask("export", order, key=group)
    if form == "csv":
        headers = {"content-disposition": 'attachment; filename="agreement.csv"'}
        return Response(found["csv"], media_type="text/csv; charset=utf-8", headers=headers)
    return Response(json.dumps({"rows": found["rows"]}, allow_nan=False), media_type="application/json")


def _done_readings(services: Services, group: str) -> list[dict[str, Any]]:
    """Readings that are done, as the process takes them that compares them."""
    with services.database.reading() as session:
        _group(session, group)
        wanted = select(ReadingRow).where(ReadingRow.reader_study == group, ReadingRow.done.is_not(None))
        rows = session.scalars(wanted.order_by(ReadingRow.number)).all()
        return [_for_agreement(services, session, row) for row in rows]


def _for_agreement(services: Services, session: Session, reading: ReadingRow) -> dict[str, Any]:
    row = get_study(session, reading.study)
    document = reading_document(reading.id, reading.study)
    held = changes(session, document, standing(session, document).done)
    measures = outputs_file(services, document, reading.version)
    return {**study_params(services, row, document), "reader": reading.reader, "held": held, "measures": str(measures)}


def _group(session: Session, group: str) -> ReaderStudyRow:
    row = session.get(ReaderStudyRow, group)
    if row is None:
        raise MissingError("there is no such reader study")
    return row


def _reading(session: Session, group: str, study: str, person: str) -> ReadingRow:
    """The reading of an exam by a person.

    Raises:
        MissingError: the exam is none of the reader study's, or that person none of its readers.
    """
    _group(session, group)
    wanted = select(ReadingRow).where(
        ReadingRow.reader_study == group, ReadingRow.study == study, ReadingRow.reader == person
    )
    row = session.scalars(wanted).first()
    if row is None:
        raise MissingError(
            f"{person or 'somebody without a name'} does not read this exam here",
            remedy="readers are named when the reader study is made; look at the spelling.",
        )
    return row


def _find(services: Services, group: str, study: str, person: str) -> str:
    with services.database.reading() as session:
        return _reading(session, group, study, person).id


def _planes(services: Services, reading: str, image: str, of: Of) -> Sequence[PlaneRow]:
    """Planes that a reader drew; none of what they began with."""
    if of == "automatic":
        return ()
    with services.database.reading() as session:
        return planes_of(session, reading, image)


def _plain(session: Session, group: ReaderStudyRow) -> ReaderStudySchema:
    wanted = select(ReadingRow).where(ReadingRow.reader_study == group.id)
    readings = session.scalars(wanted.order_by(ReadingRow.number, ReadingRow.reader))
    return ReaderStudySchema(
        id=group.id, name=group.name, created=iso(group.created), readings=[_reading_plain(row) for row in readings]
    )


def _reading_plain(row: ReadingRow) -> ReadingSchema:
    opened, done = row.opened, row.done
    return ReadingSchema(
        study=row.study,
        reader=row.reader,
        version=row.version,
        opened=None if opened is None else iso(opened),
        done=None if done is None else iso(done),
        seconds=None if opened is None or done is None else round(done - opened, 3),
    )
