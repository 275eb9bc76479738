"""Leases: one person edits an exam at a time."""

from typing import Annotated
from urllib.parse import unquote

from fastapi import BackgroundTasks, Depends, Header, Response

from cardiotrace.core.text import printable
from cardiotrace.server.api.editing_schemas import LEASED, LeaseMade
from cardiotrace.server.api.routing import Identifier, Shared, error_answer, make_router
from cardiotrace.server.api.schemas import Lease
from cardiotrace.server.desk.editing import Target, prepare
from cardiotrace.server.desk.leases import Held
from cardiotrace.server.services import Services
from cardiotrace.server.store.studies import get_study, iso

router = make_router("editing")
_LONGEST_NAME = 200


def person_of(
    x_person: Annotated[str, Header(max_length=2000, description="Who works, percent-encoded UTF-8.")] = "",
) -> str:
    """Who works, as they called themselves."""
    return " ".join(printable(unquote(x_person, errors="replace")).split())[:_LONGEST_NAME]


Person = Annotated[str, Depends(person_of)]
LeaseToken = Annotated[str, Header(max_length=100, description="The lease, as it was given.")]


@router.post("/studies/{study}/lease", response_model=LeaseMade, responses=LEASED)
def take_lease(
    study: Identifier, services: Shared, person: Person, afterwards: BackgroundTasks
) -> LeaseMade | Response:
    """Take the lease of a study; refused while somebody else holds it."""
    with services.database.reading() as session:
        get_study(session, study)
    return taken(services, Target(study), person, afterwards)


@router.put("/studies/{study}/lease", response_model=LeaseMade, responses=LEASED)
def renew_lease(study: Identifier, services: Shared, x_lease: LeaseToken = "") -> LeaseMade | Response:
    """Say that one still works on it."""
    held = services.leases.renew(study, x_lease)
    return told(held) if held is not None else leased(services, study, 423)


@router.delete("/studies/{study}/lease", status_code=204, response_class=Response)
def give_lease_back(study: Identifier, services: Shared, x_lease: LeaseToken = "") -> None:
    """Let others edit it."""
    services.leases.give_back(study, x_lease)


def taken(services: Services, target: Target, person: str, afterwards: BackgroundTasks) -> LeaseMade | Response:
    """A lease for who asks first; the exam is prepared for their first gesture."""
    held = services.leases.take(target.document, person)
    if held is None:
        return leased(services, target.document, 409)
    afterwards.add_task(prepare, services, target)
    return told(held)


def told(held: Held) -> LeaseMade:
    """A lease as its holder is told of it."""
    return LeaseMade(lease=held.token, holder=held.holder, expires=iso(held.expires))


def leased(services: Services, document: str, status: int) -> Response:
    """What is said to somebody who has no lease: who holds it, and until when."""
    held = services.leases.of(document)
    if held is None:
        return error_answer(status, "the lease is over", "take it again.", lease=None)
    lease = Lease(holder=held.holder, expires=iso(held.expires))
    who = held.holder or "somebody else"
    remedy = "wait until they are done."
    return error_answer(status, f"{who} is editing this", remedy, lease=lease.model_dump())
