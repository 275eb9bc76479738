"""What follows from the end of each kind of job, written in one transaction with it."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from cardiotrace.core.errors import WorkError
from cardiotrace.server.pacs.kept import rule_of, send_by_rule
from cardiotrace.server.store.journal import forget_planes
from cardiotrace.server.store.studies import kept_bytes, set_findings
from cardiotrace.server.store.tables import FileRow, JobRow, StudyRow, UploadRow
from cardiotrace.server.work.outcome import Done, Refused
from cardiotrace.server.work.queue import LEAST_BYTES, queue_intake

if TYPE_CHECKING:
    from cardiotrace.server.services import Services

Settler = Callable[["Services", Session, JobRow, Done | Refused], Mapping[str, Any] | None]


def _taken_in(services: "Services", session: Session, job: JobRow, outcome: Done | Refused) -> Mapping[str, Any] | None:
    """Studies of what was sent, each with its analysis queued."""
    if "upload" in job.params and (upload := session.get(UploadRow, job.params["upload"])) is not None:
        session.delete(upload)
    if isinstance(outcome, Refused):
        return None
    origin = job.params.get("origin", "upload")
    studies = [_new_study(services, session, exam, origin) for exam in outcome.result["exams"]]
    _require_room(services, session)  # else nothing of it is kept: what lies in folders goes with the next sweep
    return {"studies": studies, "left_out": outcome.result["left_out"]}


def _new_study(services: "Services", session: Session, exam: Mapping[str, Any], origin: str) -> str:
    study = StudyRow(
        id=exam["id"],
        name=exam["name"],
        created=time.time(),
        origin=origin,
        within=exam["within"],
        part=exam["part"],
        state="failed",
        options={},
        version=0,
        edits=0,
        views=[],
        grade=0,
    )
    session.add(study)
    session.flush()
    folder = services.data.study(study.id).files
    for file in exam["files"]:
        # Another study with the same content may have been deleted since the worker took it in.
        services.blobs.ensure(file["sha256"], folder / file["name"])
        row = FileRow(study=study.id, kind="exam", name=file["name"], sha256=file["sha256"], size=file["size"])
        session.add(row)
    rule = rule_of(session, origin, exam["modalities"])
    if exam["error"] is None and rule.analyse:
        services.queue_analysis(session, study, {})
    elif exam["error"] is None:
        study.state = "cancelled"
        study.error_text, study.error_remedy = f"rule {rule.name!r} says that it is not analysed", None
    else:
        study.error_text, study.error_remedy = exam["error"]["text"], exam["error"]["remedy"]
    return study.id


def _require_room(services: "Services", session: Session) -> None:
    quota = services.config.quota_gib * 2**30
    if quota and kept_bytes(session) > quota:
        raise WorkError(
            "there is no room for these exams: the quota is used up", remedy="delete exams, or start with --quota-gib."
        )


def _analysed(_: "Services", session: Session, job: JobRow, outcome: Done | Refused) -> None:
    """The study with what was found; labels of an earlier version are no longer the present ones."""
    study = session.get(StudyRow, job.study)
    if study is None or study.job != job.id:
        return
    if isinstance(outcome, Refused):
        study.error_text, study.error_remedy = job.error_text, job.error_remedy
        if study.analysis is not None:  # what was found before stands, with all that was corrected since
            study.state, study.options = "done", job.params.get("before", {})
            return
        study.state = "cancelled" if job.state == "cancelled" else "failed"
        return
    set_findings(study, outcome.result)
    study.state, study.version, study.signed = "done", study.version + 1, None
    # Edits of an earlier analysis stay in the journal; none of them stands.
    study.analysis, study.edits = job.id, 0
    forget_planes(session, study.id)
    send_by_rule(session, study, rule_of(session, study.origin, outcome.result["modalities"]))


def _retrieved(
    services: "Services", session: Session, job: JobRow, outcome: Done | Refused
) -> Mapping[str, Any] | None:
    """The intake of what was fetched, queued."""
    upload = session.get(UploadRow, job.params["upload"])
    if isinstance(outcome, Refused) or upload is None:
        if upload is not None:
            session.delete(upload)
        return None
    files, byte_count = outcome.result["files"], max(outcome.result["byte_count"], LEAST_BYTES)
    intake = queue_intake(session, upload.id, files, origin="dicom", byte_count=byte_count)
    return {"intake": intake.id, "objects": len(files)}


def _sent(_: "Services", __: Session, ___: JobRow, outcome: Done | Refused) -> Mapping[str, Any] | None:
    """How much was sent."""
    return None if isinstance(outcome, Refused) else dict(outcome.result)


SETTLERS: Mapping[str, Settler] = {
    "intake": _taken_in,
    "demo": _taken_in,
    "analyse": _analysed,
    "retrieve": _retrieved,
    "send": _sent,
}
"""By the kind of the job."""
