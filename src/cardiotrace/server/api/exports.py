"""Exports: the report, labels, values, and objects for archives."""

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from fastapi.responses import FileResponse

from cardiotrace.server.api.images import Of
from cardiotrace.server.api.routing import Identifier, Shared, make_router
from cardiotrace.server.desk.editing import Target, asked_of, study_params
from cardiotrace.server.desk.signing import measures_file, outputs_file
from cardiotrace.server.store.journal import standing
from cardiotrace.server.store.studies import MissingError, get_study
from cardiotrace.server.work.tasks import Order

router = make_router("exports")
Form = Literal[
    "report.html",
    "report.pdf",
    "labels.zip",
    "measures.json",
    "measures.csv",
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
    with services.database.reading() as session:
        row, document, version = Target(study).of(session)
        found = standing(session, document)
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
    asked = []
    with services.database.reading() as session:
        for study in dict.fromkeys(studies.split(",")):
            row = get_study(session, study)
            path = measures_file(services, row)
            if not path.exists():
                raise MissingError(f"study {study} is not analysed", remedy="wait until it is, or leave it out.")
            signed = (row.signed or {}).get("by", "")
            asked.append({"id": row.id, "name": row.name, "version": row.version, "signed": signed, "path": str(path)})
    order = Order("table", {"studies": asked}, str(services.data.root))
    text = await services.pool.ask("export", order, key="table")
    headers = {"content-disposition": 'attachment; filename="measures.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _file_name(name: str) -> str:
    """The name of an exam where a file is named after it: letters, digits and dashes."""
    return "".join(each if each.isascii() and each.isalnum() else "-" for each in name)[:80].strip("-") or "exam"
