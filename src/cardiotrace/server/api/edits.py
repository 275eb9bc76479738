"""Edits: gestures, the journal of them, signatures."""

from fastapi import Response

from cardiotrace.server.api.editing_schemas import (
    EDITING,
    Edited,
    EditSchema,
    JournalEntry,
    Sign,
    Signed,
    VersionRefused,
)
from cardiotrace.server.api.leases import LeaseToken, Person, leased
from cardiotrace.server.api.routing import Identifier, Shared, error_answer, make_router
from cardiotrace.server.desk.editing import OtherVersionError, Target, edit
from cardiotrace.server.desk.signing import sign
from cardiotrace.server.services import Services
from cardiotrace.server.store.journal import Document, journal_plain
from cardiotrace.server.store.studies import ConflictError, get_study

router = make_router("editing")


@router.post("/studies/{study}/edits", response_model=Edited, responses=EDITING)
async def edit_study(
    study: Identifier, wanted: EditSchema, services: Shared, person: Person, x_lease: LeaseToken = ""
) -> Edited | Response:
    """Do one gesture. It is kept when this answers, with what was before."""
    return await answer(services, Target(study), wanted, person, x_lease)


async def answer(services: Services, target: Target, wanted: EditSchema, person: str, lease: str) -> Edited | Response:
    """Do a gesture for whoever holds the lease."""
    held = services.leases.renew(target.document, lease)
    if held is None:
        return leased(services, target.document, 423)
    gesture = wanted.gesture.model_dump()
    try:
        return Edited(**await edit(services, target, wanted.base_version, gesture, person or held.holder))
    except OtherVersionError as error:
        return version_refused(error)


def version_refused(error: OtherVersionError) -> Response:
    """Another version is the present one: which it is."""
    return error_answer(409, error.what, error.remedy, version=error.version)


@router.get("/studies/{study}/edits")
def list_edits(study: Identifier, services: Shared) -> list[JournalEntry]:
    """The journal: who changed what, when, with what was and what is."""
    with services.database.reading() as session:
        row = get_study(session, study)
        document = Document(study, study, row.analysis or "")
        return [JournalEntry(**entry) for entry in journal_plain(session, document)]


@router.post(
    "/studies/{study}/sign",
    response_model=Signed,
    responses={409: {"model": VersionRefused, "description": "Another version is the present one."}},
)
def sign_study(study: Identifier, wanted: Sign, services: Shared) -> Signed | Response:
    """Sign the version that one saw; whatever is edited later is another version, which nobody signed."""
    with services.database.writing() as session:
        row = get_study(session, study)
        if row.state != "done" or row.analysis is None:
            raise ConflictError("this study is not analysed", remedy="wait until it is.")
        if row.version != wanted.version:
            return version_refused(OtherVersionError(row.version))
        signed = sign(services, session, row, " ".join(wanted.name.split()))
    services.tell_of(study)
    return Signed(version=signed["version"], checksum=signed["checksum"], time=signed["time"])
