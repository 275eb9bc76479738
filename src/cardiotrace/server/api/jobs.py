"""Jobs: how far they are, and their end."""

from fastapi import Response
from sqlalchemy import select

from cardiotrace.server.api.routing import Identifier, Shared, make_router
from cardiotrace.server.api.schemas import JobSchema
from cardiotrace.server.services import Services
from cardiotrace.server.store.studies import ConflictError, MissingError
from cardiotrace.server.store.tables import JobRow

router = make_router("jobs")


@router.get("/jobs/{job}")
def show_job(job: Identifier, services: Shared) -> JobSchema:
    """How far a job is, or how it ended."""
    return JobSchema(**services.job_plain(_row(services, job)))


@router.delete("/jobs/{job}", status_code=204, response_class=Response)
def cancel_job(job: Identifier, services: Shared) -> None:
    """Cancel a job, at once."""
    row = _row(services, job)
    if not services.jobs.cancel(job):
        raise ConflictError(f"this job is {row.state} already", remedy="there is nothing to cancel.")


def _row(services: Services, job: str) -> JobRow:
    with services.database.reading() as session:
        row = session.scalar(select(JobRow).where(JobRow.id == job))
    if row is None:
        raise MissingError("there is no such job", remedy="its study may have been deleted.")
    return row
