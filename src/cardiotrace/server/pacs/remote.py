"""What can be done with an archive, by whichever door it has."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cardiotrace.core.progress import OnProgress
from cardiotrace.server.pacs.destination import Destination
from cardiotrace.server.pacs.study_query import FoundStudy, StudyQuery


class Archive(Protocol):
    """An archive that is asked and sent to; each call opens a connection of its own and closes it."""

    def echo(self) -> None:
        """Ask whether it is there and answers.

        Raises:
            WorkError: it is not, or does not want to speak with this program.
        """

    def find(self, query: StudyQuery) -> list[FoundStudy]:
        """Studies that it holds.

        Raises:
            WorkError: it does not answer, or refuses.
            InputError: more than `MOST_ANSWERS` of them.
        """

    def retrieve(self, study_uid: str, folder: Path, on_progress: OnProgress | None = None) -> int:
        """Fetch the objects of a study into a folder that is there; gives how many came.

        Raises:
            WorkError: it does not answer, refuses, or breaks off: what came until then lies in the folder.
            InputError: it holds no such study.
        """

    def send(self, files: Sequence[Path], on_progress: OnProgress | None = None) -> None:
        """Hand objects over.

        Raises:
            WorkError: it does not answer, or did not take one of them: its name and the reason are said.
            InputError: a file is no DICOM object.
        """


def archive_at(destination: Destination) -> Archive:
    """The door that a destination has."""
    if destination.kind == "dicomweb":
        from cardiotrace.server.pacs.dicomweb import WebArchive

        return WebArchive(destination)
    from cardiotrace.server.pacs.messages import MessageArchive

    return MessageArchive(destination)
