"""The data folder: where everything lies, readable by its owner alone, used by one server at a time."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cardiotrace.core.errors import UsageError, WorkError

_OWNER_ONLY = 0o700
_SECRET = 0o600


@dataclass(frozen=True)
class DataFolder:
    """Places of everything that the application keeps."""

    root: Path

    @property
    def blobs(self) -> Path:
        """Files by what they hold."""
        return self.root / "blobs"

    @property
    def studies(self) -> Path:
        """A folder for each study."""
        return self.root / "studies"

    @property
    def uploads(self) -> Path:
        """What is still being sent, a folder for each upload."""
        return self.root / "uploads"

    @property
    def secrets(self) -> Path:
        """Passwords and keys that other machines are spoken to with, put here by the owner."""
        return self.root / "secrets"

    @property
    def log(self) -> Path:
        """What happened, in lines of JSON that name nobody."""
        return self.root / "log.jsonl"

    def study(self, study: str) -> "StudyFolder":
        """The folder of one study."""
        return StudyFolder(self.studies / _plain(study))

    def upload(self, upload: str) -> Path:
        """The folder of one upload."""
        return self.uploads / _plain(upload)

    def make(self) -> "DataFolder":
        """Make what is not there yet.

        Raises:
            WorkError: it cannot be made, or be written to.
        """
        try:
            for place in (self.root, self.blobs, self.studies, self.uploads, self.secrets):
                place.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
            self.root.chmod(_OWNER_ONLY)
        except OSError as error:
            remedy = "choose another folder with --data."
            raise WorkError(f"cannot be made ({error.strerror})", where=self.root, remedy=remedy) from None
        return self

    def token(self, given: str = "") -> str:
        """The secret that opens the application, made once; one that is given replaces it."""
        path = self.root / "token"
        if not given and path.is_file() and (known := path.read_text().strip()):
            return known
        secret = given or secrets.token_urlsafe(32)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, _SECRET), "w") as file:
            os.fchmod(file.fileno(), _SECRET)
            file.write(f"{secret}\n")
        return secret

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Held by one server at a time; the system lets go of it however that one ends.

        Raises:
            UsageError: another one holds it.
        """
        try:
            import fcntl
        except ImportError:  # a system without it, such as Windows, locks nothing
            yield
            return
        with (self.root / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                remedy = "stop it first, or choose another folder with --data."
                raise UsageError("another server works on this folder", where=self.root, remedy=remedy) from None
            yield

    def free_bytes(self) -> int:
        """What the disk still has room for."""
        return shutil.disk_usage(self.root).free


@dataclass(frozen=True)
class StudyFolder:
    """What lies in the folder of one study."""

    root: Path

    @property
    def files(self) -> Path:
        """The exam's own files, by their names made harmless; links to blobs, never changed."""
        return self.root / "files"

    @property
    def automatic(self) -> Path:
        """What the analysis wrote."""
        return self.root / "automatic"

    def drawn(self, analysis: str) -> Path:
        """What is drawn over the images of one analysis, made when it is first asked for."""
        return self.root / "drawn" / analysis

    def outputs(self, version: int) -> Path:
        """What was made of one version."""
        return self.root / "outputs" / str(version)

    def forget_outputs(self, document: str) -> None:
        """Remove what was made of all versions of a document."""
        for folder in self.root.glob(f"outputs/*/{document}"):
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def renewed(self) -> Iterator[Path]:
        """An empty folder that takes the place of `automatic` when the block ends well; else it is removed."""
        fresh, former = (self.root / f".automatic-{word}-{secrets.token_hex(4)}" for word in ("new", "old"))
        fresh.mkdir(mode=_OWNER_ONLY, parents=True)
        try:
            yield fresh
            if self.automatic.exists():
                self.automatic.rename(former)
            fresh.rename(self.automatic)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            if self.automatic.exists():
                shutil.rmtree(former, ignore_errors=True)

    def mend(self) -> None:
        """Put in order what a process left that was killed while it renewed `automatic`."""
        formers = list(self.root.glob(".automatic-old-*"))
        if formers and not self.automatic.exists():
            formers.pop().rename(self.automatic)
        for left in (*formers, *self.root.glob(".automatic-new-*")):
            shutil.rmtree(left, ignore_errors=True)

    def remove(self) -> None:
        """Remove all of it."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.root)


def _plain(identifier: str) -> str:
    """An identifier that is part of a path; they are made here, and asked for by whoever sends a request."""
    if not identifier.isalnum() or not identifier.isascii():
        raise ValueError(f"{identifier!r} is no identifier")
    return identifier
