"""Archives: where results are sent, what is fetched from where, and the rules by which both happen by themselves."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Path as PathParameter
from pydantic import Field
from sqlalchemy import func, select

from cardiotrace.core.errors import WorkError
from cardiotrace.server.api.routing import ArchiveError, Identifier, Shared, make_router
from cardiotrace.server.api.schemas import JobMade, Schema
from cardiotrace.server.pacs.kept import (
    keep_network_settings,
    network_settings,
    plain_destination,
    queue_retrieval,
    queue_sending,
)
from cardiotrace.server.pacs.settings import NetworkSettings
from cardiotrace.server.store.studies import ConflictError, get_study, iso
from cardiotrace.server.store.tables import StudyRow
from cardiotrace.server.work.pool import TaskFaultError
from cardiotrace.server.work.task import Order

router = make_router("archives")
FormName = Literal["segmentations", "structured-report", "pages", "pdf"]
ArchiveName = Annotated[str, PathParameter(max_length=64, description="Of a destination.")]
Word = Annotated[str, Field(max_length=256)]
Version = Annotated[
    str,
    Field(
        max_length=64,
        description="Tells what stands from what stood. Whoever sends the one that they saw changes nothing that was"
        " changed meanwhile; without one, whatever stands is replaced.",
    ),
]


class NodeTold(Schema):
    """The DICOM node."""

    runs: bool
    ae_title: str | None
    host: str | None
    port: int | None
    peers: list[str]
    """Who may send, as TITLE or TITLE@ADDRESS; empty: any program of this machine."""
    problem: str | None
    receiving: int
    """Studies of which something may still come."""
    studies: int
    """Those that came by DICOM, sent or fetched, and are kept."""
    last: str | None
    """When the last of them was taken in."""


class Destinations(Schema):
    """Archives that are known."""

    destinations: Annotated[list[dict[str, Any]], Field(max_length=100)]
    version: Version = ""


class Rules(Schema):
    """What happens by itself; the first that fits counts."""

    rules: Annotated[list[dict[str, Any]], Field(max_length=100)]
    version: Version = ""


class Sending(Schema):
    """Where results go, and which."""

    to: Word
    forms: Annotated[tuple[FormName, ...], Field(min_length=1, max_length=4)] = ("segmentations", "structured-report")


class Question(Schema):
    """Studies that an archive is asked for."""

    archive: Word
    patient_id: Word = ""
    patient_name: Word = ""
    accession_number: Word = ""
    dates: Word = ""
    modality: Word = ""
    study_uid: Word = ""


class FoundSchema(Schema):
    """A study in an archive."""

    study_uid: str
    patient_id: str
    patient_name: str
    date: str
    description: str
    modalities: list[str]
    objects: int | None


class Answer(Schema):
    """Studies that an archive holds."""

    studies: list[FoundSchema]


class Retrieval(Schema):
    """A study that is to be fetched."""

    archive: Word
    study_uid: Annotated[str, Field(max_length=64)]


@router.get("/pacs/node")
def show_node(services: Shared) -> NodeTold:
    """Whether studies are received by DICOM, and where."""
    node, settings = services.node, services.config.node
    with services.database.reading() as session:
        of_dicom = select(func.count(), func.max(StudyRow.created)).where(StudyRow.origin == "dicom")
        count, last = session.execute(of_dicom).one()
    return NodeTold(
        runs=node is not None and node.port is not None,
        ae_title=None if settings is None else settings.ae_title,
        host=None if settings is None else settings.host,
        port=None if node is None else node.port,
        peers=[] if settings is None else [str(peer) for peer in settings.peers],
        problem=None if node is None else node.problem or None,
        receiving=0 if node is None else node.receiving,
        studies=count,
        last=iso(last) if count else None,
    )


@router.get("/pacs/destinations")
def list_destinations(services: Shared) -> Destinations:
    """Archives that are known."""
    return Destinations(**_told(_kept(services), "destinations"))


@router.put("/pacs/destinations")
def set_destinations(wanted: Destinations, services: Shared) -> Destinations:
    """Let these be the archives that are known; refused where others saved some meanwhile."""
    return Destinations(**_keep(services, "destinations", wanted.destinations, wanted.version))


@router.get("/rules")
def list_rules(services: Shared) -> Rules:
    """What happens by itself."""
    return Rules(**_told(_kept(services), "rules"))


@router.put("/rules")
def set_rules(wanted: Rules, services: Shared) -> Rules:
    """Let these be the rules; refused where others saved some meanwhile."""
    return Rules(**_keep(services, "rules", wanted.rules, wanted.version))


@router.post("/pacs/destinations/{name}/echo", status_code=204)
async def echo(name: ArchiveName, services: Shared) -> None:
    """Ask an archive whether it is there and answers."""
    await _asked(services, Order("echo", {"to": _destination(services, name)}))


@router.post("/pacs/query")
async def query(question: Question, services: Shared) -> Answer:
    """Ask an archive for studies."""
    asked = question.model_dump()
    archive = _destination(services, asked.pop("archive"))
    found = await _asked(services, Order("find", {"from": archive, "query": asked}))
    return Answer(studies=[FoundSchema(**{key: each[key] for key in FoundSchema.model_fields}) for each in found])


@router.post("/pacs/retrieve", status_code=202)
def retrieve(wanted: Retrieval, services: Shared) -> JobMade:
    """Fetch a study from an archive, and analyse it."""
    with services.database.writing() as session:
        job = queue_retrieval(session, wanted.archive, wanted.study_uid)
        services.data.upload(job.params["upload"]).mkdir(mode=0o700)
    services.jobs.wake()
    return JobMade(job=job.id)


@router.post("/studies/{study}/send", status_code=202)
def send(study: Identifier, wanted: Sending, services: Shared) -> JobMade:
    """Send results of a study to an archive."""
    with services.database.writing() as session:
        row = get_study(session, study)
        if row.state != "done":
            raise ConflictError("this study is not analysed", remedy="wait until it is.")
        job = queue_sending(session, row, wanted.to, wanted.forms)
    services.jobs.wake()
    return JobMade(job=job.id)


async def _asked(services: Shared, order: Order) -> Any:
    """What an archive answers.

    Raises:
        ArchiveError: it does not, or refuses.
    """
    try:
        return await services.pool.ask("query", order)
    except TaskFaultError:
        raise
    except WorkError as error:
        raise ArchiveError(error.what, remedy=error.remedy) from None


def _kept(services: Shared) -> dict[str, Any]:
    with services.database.reading() as session:
        return network_settings(session).to_plain()


def _told(settings: Mapping[str, Any], part: str) -> dict[str, Any]:
    """A part of the settings, with the version that it has by what it says."""
    text = json.dumps(settings[part], sort_keys=True)
    return {part: settings[part], "version": hashlib.sha256(text.encode()).hexdigest()[:16]}


def _keep(services: Shared, part: str, wanted: list[dict[str, Any]], version: str) -> dict[str, Any]:
    """Change a part of the settings; together they must make sense.

    Raises:
        ConflictError: that part is no longer of the version that was seen.
    """
    with services.database.writing() as session:
        before = network_settings(session).to_plain()
        if version and version != _told(before, part)["version"]:
            raise ConflictError("somebody saved others meanwhile", remedy="load the page again, and change these.")
        settings = NetworkSettings.from_plain({**before, part: wanted})
        keep_network_settings(session, settings, services.data.secrets)
    return _told(settings.to_plain(), part)


def _destination(services: Shared, name: str) -> dict[str, Any]:
    with services.database.reading() as session:
        return plain_destination(session, name)
