"""An archive that is spoken to by the web (PS3.18): QIDO-RS, WADO-RS and STOW-RS."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.io import write_bytes
from cardiotrace.server.pacs.destination import Destination
from cardiotrace.server.pacs.messages import ANSWER_S, CONNECT_S, client_context
from cardiotrace.server.pacs.multipart import Parts
from cardiotrace.server.pacs.received import MOST_BYTES
from cardiotrace.server.pacs.study_query import (
    MOST_ANSWERS,
    RETURNED,
    FoundStudy,
    StudyQuery,
    found_study,
    require_uid,
)

if TYPE_CHECKING:
    import httpx

_JSON, _OBJECT = "application/dicom+json", "application/dicom"
_PIECE = 2**20
_FAILED = "00081198"
"""Tag of the objects that were not taken (PS3.18 table 10.5.1-2)."""


@dataclass(frozen=True)
class WebArchive:
    """See `remote.Archive`."""

    destination: Destination

    def echo(self) -> None:
        """See `remote.Archive`: the web has no echo, so that a query for one study stands for it."""
        with self._client() as client:
            self._asked(client, {"limit": "1"})

    def find(self, query: StudyQuery) -> list[FoundStudy]:
        """See `remote.Archive`."""
        keys = {keyword: value for keyword, value in query.keys.items() if value}
        with self._client() as client:
            told = self._asked(client, {**keys, "limit": str(MOST_ANSWERS + 1), "includefield": ",".join(RETURNED)})
        if len(told) > MOST_ANSWERS:
            raise InputError(
                f"{self.destination.name} has more than {MOST_ANSWERS} such studies",
                remedy="ask for fewer: another date, or a patient.",
            )
        return [study for values in told if (study := found_study(_by_keyword(values))) is not None]

    def retrieve(self, study_uid: str, folder: Path, on_progress: OnProgress | None = None) -> int:
        """See `remote.Archive`."""
        require_uid(study_uid)
        accept = f'multipart/related; type="{_OBJECT}"; transfer-syntax=*'
        asked = f"studies/{study_uid}"
        taken = 0
        with self._client() as client, self._told(), client.stream("GET", asked, headers={"Accept": accept}) as answer:
            if answer.status_code in (204, 404):
                raise InputError(f"{self.destination.name} has no study {study_uid}")
            self._require(answer, "a retrieval")
            boundary = Parts.boundary_of(answer.headers.get("Content-Type", ""))
            parts = Parts(answer.iter_bytes(_PIECE), boundary, most_bytes=MOST_BYTES)
            for taken, content in enumerate(parts, start=1):
                # One object may be sent twice; its bytes are the same then, and so is the name.
                write_bytes(folder / f"{hashlib.sha256(content).hexdigest()}.dcm", content)
                if on_progress is not None:
                    on_progress(taken, taken)
        if not taken:
            raise InputError(f"{self.destination.name} sent nothing of study {study_uid}")
        return taken

    def send(self, files: Sequence[Path], on_progress: OnProgress | None = None) -> None:
        """See `remote.Archive`: one object a request, so that what is refused has a name."""
        with self._client() as client:
            for path in counted(files, on_progress):
                boundary = secrets.token_hex(16)
                headers = {
                    "Content-Type": f'multipart/related; type="{_OBJECT}"; boundary={boundary}',
                    "Accept": _JSON,
                }
                with self._told():
                    answer = client.post("studies", content=_body(path, boundary), headers=headers)
                self._require(answer, path.name)
                if answer.content and _refused(answer):
                    raise WorkError(f"{self.destination.name} did not take {path.name}")

    @contextmanager
    def _client(self) -> Iterator["httpx.Client"]:
        import httpx

        where = self.destination
        context = client_context(where.tls)
        auth = httpx.BasicAuth(where.user, _secret(where.password_file)) if where.user else None
        headers = {} if where.token_file is None else {"Authorization": f"Bearer {_secret(where.token_file)}"}
        timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
        # What an archive says of other places is not followed: credentials go to the one that was named.
        with httpx.Client(
            base_url=where.url.rstrip("/") + "/",
            auth=auth,
            headers=headers,
            timeout=timeout,
            verify=True if context is None else context,
            follow_redirects=False,
            trust_env=False,
        ) as client:
            yield client

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the network in the words of this package."""
        import httpx

        try:
            yield
        except httpx.HTTPError as error:
            told = f"{self.destination.name} ({self.destination.address}) does not answer"
            raise WorkError(f"{told}: {type(error).__name__}", remedy="check its address, and that it runs.") from None

    def _asked(self, client: "httpx.Client", parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        with self._told():
            answer = client.get("studies", params=dict(parameters), headers={"Accept": _JSON})
        if answer.status_code == 204:
            return []
        self._require(answer, "a query")
        told = _json(answer)
        if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
            raise WorkError(f"{self.destination.name} answered a query with what is no list of studies")
        return told

    def _require(self, answer: "httpx.Response", what: str) -> None:
        """Refuse an answer that is an error.

        Raises:
            WorkError: it is one.
        """
        if not answer.is_success:
            remedy = "check user and password_file." if answer.status_code in (401, 403) else "its own log says why."
            raise WorkError(f"{self.destination.name} refused {what} with {answer.status_code}", remedy=remedy)


def _body(path: Path, boundary: str) -> Iterable[bytes]:
    """One object as the body of a request, piece by piece.

    Raises:
        InputError: it cannot be read.
    """
    yield f"--{boundary}\r\nContent-Type: {_OBJECT}\r\n\r\n".encode()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=path.name) from None
    yield f"\r\n--{boundary}--\r\n".encode()


def _refused(answer: "httpx.Response") -> bool:
    told = _json(answer)
    return isinstance(told, dict) and bool(told.get(_FAILED, {}).get("Value"))


def _json(answer: "httpx.Response") -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _secret(path: Path | None) -> str:
    """First line of a file.

    Raises:
        InputError: it cannot be read, or is empty.
    """
    if path is None:
        return ""
    try:
        line = path.read_text(encoding="utf-8").splitlines()[:1]
    except (OSError, UnicodeDecodeError):
        raise InputError("the file of a secret cannot be read", where=path) from None
    if not line or not line[0].strip():
        raise InputError("the file of a secret is empty", where=path)
    return line[0].strip()


def _by_keyword(values: Mapping[str, Any]) -> dict[str, Any]:
    """What DICOM JSON tells, by keyword; a name as its alphabetic part."""
    from pydicom.datadict import tag_for_keyword

    found = {}
    for keyword in RETURNED:
        told = values.get(f"{tag_for_keyword(keyword):08X}")
        listed = told.get("Value") if isinstance(told, dict) else None
        if isinstance(listed, list) and listed:
            plain = [each.get("Alphabetic", "") if isinstance(each, dict) else each for each in listed]
            found[keyword] = plain if keyword == "ModalitiesInStudy" else plain[0]
    return found
