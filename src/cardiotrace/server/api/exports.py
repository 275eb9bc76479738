"""Exports: the report, labels, values, and objects for archives."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from fastapi.responses import FileResponse

from cardiotrace.server.api.images import Of
from cardiotrace.server.api.routing import Identifier, Shared, make_router
from cardiotrace.server.desk.editing import Target, asked_of, study_params
from cardiotrace.server.desk.signing import measures_file, outputs_file
from cardiotrace.server.services import Services
from cardiotrace.server.store.journal import Document, Standing, standing
from cardiotrace.server.store.studies import MissingError, get_study
from cardiotrace.server.store.tables import StudyRow
from cardiotrace.server.work.task import Order

router = make_router("exports")
Form = Literal[
    "report.html",
    "report.pdf",
    "labels.zip",
    "measures.json",
    "measures.csv",
    "segments.json",
    "segmentations.zip",
    "structured-report.dcm",
    "fhir.json",
]
_TYPES: dict[str, str] = {
    "html": "text/html",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "json": "application/json",
    "csv": "text/csv",
    "dcm": "application/dicom",
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _TYPES.values()}}
}
Language = Annotated[Literal["en", "fr"] | None, Query(description="Of the report; that of the page where left out.")]


@router.get("/studies/{study}/export/{form}", response_class=FileResponse, responses=_FILE)
async def export_study(
    study: Identifier, form: Form, services: Shared, of: Of = "current", language: Language = None
) -> FileResponse:
    """One file of a study, as it is now or as it was found."""
    spoken = language or services.config.language
    row, document, version, found = await asyncio.to_thread(_standing, services, study)
    target = outputs_file(services, document, version, f"{of}-{spoken}-{form}")
    if not target.exists():
        params = {
            **study_params(services, row, document),
            "at": found.last,
            "held": None,
            "form": form,
            "of": of,
            "language": spoken,
            "target": str(target),
        }
        await asked_of(services, "export", "export", params, document, found)
    kind = _TYPES[form.rpartition(".")[2]]
    return FileResponse(
        target,
        media_type=kind,
        filename=f"{_file_name(row.name)}-{form}",
        headers={"cache-control": "private, no-cache", "x-content-type-options": "nosniff"},
    )


@router.get("/export/measures.csv", responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}})
async def export_table(
    services: Shared,
    studies: Annotated[str, Query(pattern="^[0-9a-f]{16}(,[0-9a-f]{16}){0,999}$", description="Their numbers.")],
) -> Response:
    """The values of several studies as one table."""
    asked = await asyncio.to_thread(_rows_of, services, list(dict.fromkeys(studies.split(","))))
    order = Order("table", {"studies": asked}, str(services.data.root))
    text = await services.pool.ask("export", order, key="table")
    headers = {"content-disposition": 'attachment; filename="measures.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _standing(services: Services, study: str) -> tuple[StudyRow, Document, int, Standing]:
    with services.database.reading() as session:
        row, document, version = Target(study).of(session)
        return row, document, version, standing(session, document)


def _rows_of(services: Services, studies: list[str]) -> list[dict[str, Any]]:
    """What a table is made of; of which study each row is, and whether somebody signed it."""
    asked = []
    with services.database.reading() as session:
        for study in studies:
            row = get_study(session, study)
            path = measures_file(services, row)
            if not path.exists():
                raise MissingError(f"study {study} is not analysed", remedy="wait until it is, or leave it out.")
            facts = {"id": row.id, "name": row.name, "version": row.version, "path": str(path)}
            asked.append({**facts, "signed": (row.signed or {}).get("by", "")})
    return asked


def _file_name(name: str) -> str:
    """The name of an exam where a file is named after it: letters, digits and dashes."""
    return "".join(each if each.isascii() and each.isalnum() else "-" for each in name)[:80].strip("-") or "exam"
