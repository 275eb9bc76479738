"""What workers do with archives: functions from plain values to plain values."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cardiotrace.core.config import from_plain
from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.server.pacs.destination import Destination
from cardiotrace.server.pacs.remote import archive_at
from cardiotrace.server.pacs.study_query import StudyQuery
from cardiotrace.server.store.folder import DataFolder


def echo(params: Mapping[str, Any], _: ProgressReporter) -> None:
    """Ask an archive whether it is there.

    Args:
        params: `to`, a destination.
    """
    archive_at(from_plain(Destination, params["to"])).echo()


def find(params: Mapping[str, Any], _: ProgressReporter) -> list[dict[str, Any]]:
    """Ask an archive for studies.

    Args:
        params: `from`, a destination; `query`, a `StudyQuery`.
    """
    found = archive_at(from_plain(Destination, params["from"])).find(from_plain(StudyQuery, params["query"]))
    return [asdict(study) for study in found]


def retrieve_study(params: Mapping[str, Any], reporter: ProgressReporter) -> dict[str, Any]:
    """Fetch a study into the folder of an upload, from which it is taken in.

    Args:
        params: `data`, `upload`, `from` (a destination) and `study_uid`.
        reporter: told how many objects have come.

    Returns:
        `files`, numbers and names as an intake takes them, and `byte_count`.
    """
    folder = DataFolder(Path(params["data"])).upload(params["upload"])
    fetched = folder / "fetched"
    shutil.rmtree(fetched, ignore_errors=True)  # of a server that was killed meanwhile
    fetched.mkdir(mode=0o700, parents=True)
    with reporter.stage("fetching") as on_progress:
        archive_at(from_plain(Destination, params["from"])).retrieve(params["study_uid"], fetched, on_progress)
    files, size = [], 0
    for number, path in enumerate(sorted(fetched.iterdir())):
        size += path.stat().st_size
        path.replace(folder / f"{number}.part")
        files.append([number, f"{params['study_uid']}/{path.name}"])
    return {"files": files, "byte_count": size}


def send_study(params: Mapping[str, Any], reporter: ProgressReporter) -> dict[str, Any]:
    """Make results of a study as DICOM objects, and send them to an archive.

    Args:
        params: `to` (a destination), `forms`, and what `objects.archive_objects` takes.
        reporter: told how far it is.

    Returns:
        `sent`, how many objects.
    """
    from cardiotrace.server.pacs.objects import archive_objects

    archive = archive_at(from_plain(Destination, params["to"]))
    with archive_objects(params, params["forms"], reporter) as files, reporter.stage("sending") as on_progress:
        archive.send(files, on_progress)
        return {"sent": len(files)}
