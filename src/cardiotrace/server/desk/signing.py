"""A signature: who stands for which labels and measures, and a checksum that tells whether these are still they."""

import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardiotrace.server.store.edit_tables import PlaneRow
from cardiotrace.server.store.journal import Document
from cardiotrace.server.store.studies import iso
from cardiotrace.server.store.tables import StudyRow
from cardiotrace.server.store.written import automatic_exam

if TYPE_CHECKING:
    from cardiotrace.server.services import Services

MEASURES = "measures.json"


def outputs_file(services: "Services", document: Document, version: int, name: str = MEASURES) -> Path:
    """A file that was made of one version of a document."""
    folder = document.id if document.is_reading else "study"
    return services.data.study(document.study).outputs(version) / folder / name


def measures_file(services: "Services", row: StudyRow) -> Path:
    """The measures of a study as they are now: where edits stand never those of the analysis."""
    if row.analysis is None or not row.edits:
        return services.data.study(row.id).automatic / MEASURES
    return outputs_file(services, Document(row.id, row.id, row.analysis), row.version)


def checksum(services: "Services", session: Session, row: StudyRow) -> str:
    """SHA-256 over the measures and all labels of a study as they are now.

    It is that of a text in JSON with the digests of the files of measures and of automatic labels, and of each plane
    that stands edited in their order.
    """
    folder = services.data.study(row.id).automatic
    exam = automatic_exam(folder) or {"digests": {}}
    labels = {name: digest for name, digest in exam["digests"].items() if name.endswith(".labels")}
    wanted = select(PlaneRow).where(PlaneRow.document == row.id)
    planes = session.scalars(wanted.order_by(PlaneRow.image, PlaneRow.frame, PlaneRow.slice))
    edited = [[plane.image, plane.frame, plane.slice, plane.labels] for plane in planes if plane.labels]
    measures = hashlib.sha256(measures_file(services, row).read_bytes()).hexdigest()
    text = json.dumps({"measures": measures, "labels": labels, "edited": edited}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def sign(services: "Services", session: Session, row: StudyRow, name: str) -> dict[str, Any]:
    """Sign the present version of a study.

    Args:
        services: what the routes share.
        session: that writes.
        row: of the study.
        name: who signs.
    """
    row.signed = {
        "by": name,
        "time": iso(time.time()),
        "checksum": checksum(services, session, row),
        "version": row.version,
    }
    return row.signed
