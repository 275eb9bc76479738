"""What comes without anybody sending it through the page, taken in once: by the watched folder, by the DICOM node.

That something was taken is written in the transaction that queues its intake. So a server that is killed at any moment
neither forgets it nor takes it twice.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from cardiotrace.server.store.tables import SettingRow
from cardiotrace.server.work.queue import LEAST_BYTES, queue_intake

if TYPE_CHECKING:
    from cardiotrace.server.services import Services

_FORMER = "done"
"""Under which the watched folder once listed what it took, without the jobs."""


@dataclass(frozen=True)
class Arrivals:
    """What came by one door.

    Args:
        services: that take exams in.
        door: names it in the settings.
        origin: of the studies that come of it.
        place: puts a file into the folder of an upload: a copy where the original is somebody else's, a link where it
            is ours.
    """

    services: "Services"
    door: str
    origin: str
    place: Callable[[Path, Path], object]

    def known(self) -> dict[str, str]:
        """What was taken in, with the job of each; "" where an earlier version did not keep it."""
        with self.services.database.reading() as session:
            return self._known(session)

    def take(
        self, key: str, upload: str, files: Sequence[tuple[Path, str]], *, is_over: Callable[[str], bool] | None = None
    ) -> str:
        """Queue an intake, unless that was done already.

        Args:
            key: tells what came from all else that does.
            upload: the number of an upload to be.
            files: each with the name that it is to have.
            is_over: whether something that was taken needs to be remembered no more, by its key.

        Returns:
            The job, or that of before.
        """
        services, job = self.services, None
        folder = services.data.upload(upload)
        folder.mkdir(mode=0o700)
        try:
            for number, (path, _) in enumerate(files):
                self.place(path, folder / f"{number}.part")
            size = sum(path.stat().st_size for path in folder.iterdir())
            with services.database.writing() as session:
                known = self._known(session)
                if key in known:
                    return known[key]
                names = [(number, name) for number, (_, name) in enumerate(files)]
                byte_count = max(size, LEAST_BYTES)
                row = queue_intake(session, upload, names, origin=self.origin, byte_count=byte_count)
                kept = {name: known[name] for name in known if is_over is None or not is_over(name)}
                session.merge(SettingRow(name=self.door, value={**kept, key: row.id}))
            job = row.id
        finally:
            if job is None:
                shutil.rmtree(folder, ignore_errors=True)
        services.jobs.wake()
        return job

    def _known(self, session: Session) -> dict[str, str]:
        row = session.get(SettingRow, self.door)
        value = {} if row is None else dict(row.value)
        former = value.pop(_FORMER, ())
        return {**dict.fromkeys(former, ""), **value}
