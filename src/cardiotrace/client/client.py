"""The application, asked by a program."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from cardiotrace.client.study import ENDED, Job, StudySummary
from cardiotrace.core.errors import InputError, WorkError

API = "/api/v1"
_PIECE = 2**20
_LOOK_S = 0.3
_PAGE = 200
OnJob = Callable[[Job], None]


class Client:
    """Sends exams, waits for what comes of them, fetches results; closes its connections at the end of `with`.

    Args:
        address: of the application, such as http://127.0.0.1:8765; one with `?token=` is taken as it was printed.
        token: its secret, where the address has none.
        person: whose name stands in the journal of edits.
        timeout_s: for one answer.

    Raises:
        InputError: neither the address nor `token` holds a secret.
    """

    def __init__(self, address: str, *, token: str = "", person: str = "", timeout_s: float = 60.0) -> None:
        url = httpx.URL(address)
        secret = token or url.params.get("token", "")
        if not secret:
            raise InputError("no token is given", remedy="give token=..., or the whole address that `serve` printed.")
        headers = {"Authorization": f"Bearer {secret}"}
        if person:
            headers["X-Person"] = quote(person)
        root = str(url.copy_with(query=None, path="/")).rstrip("/")
        # Nothing that stands in the environment may lead a secret elsewhere.
        self._http = httpx.Client(base_url=root, headers=headers, timeout=timeout_s, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def about(self) -> Mapping[str, Any]:
        """Versions, models and limits of the application."""
        told: Mapping[str, Any] = self._asked("GET", "/system/about").json()
        return told

    # In.

    def send(self, *paths: str | Path) -> Job:
        """Send files, folders and zips as one upload; gives the job that finds the exams in it.

        Raises:
            InputError: there is no such file, or the application does not take it.
            WorkError: it does not answer.
        """
        files = [found for path in paths for found in _files(Path(path))]
        if not files:
            raise InputError("there is nothing to send", where=", ".join(map(str, paths)))
        upload = self._asked("POST", "/uploads").json()["id"]
        for number, (name, path) in enumerate(files):
            self._put(upload, number, name, path)
        return self.job(self._asked("POST", f"/uploads/{upload}/finish").json()["job"])

    def analyse(self, *paths: str | Path, on_job: OnJob | None = None) -> list[StudySummary]:
        """Send exams, and wait until they are analysed.

        Args:
            paths: files, folders or zips.
            on_job: told now and then how far the work is.

        Returns:
            The studies, those that failed as well; `problem` says why.

        Raises:
            InputError: there is no exam in what was sent.
            WorkError: the application does not answer.
        """
        job = self.wait(self.send(*paths), on_job=on_job)
        if job.state != "done":
            raise InputError(job.problem or "the exams were not taken in")
        studies = job.result.get("studies", ())
        if not studies:
            raise InputError("; ".join(job.result.get("left_out", ())) or "there is no exam in what was sent")
        return [self._settled(study, on_job) for study in studies]

    # What there is.

    def studies(self, *, search: str = "", state: str = "") -> Iterator[StudySummary]:
        """Studies, the newest first.

        Args:
            search: a part of their names.
            state: only those that are so far.
        """
        offset = 0
        while True:
            asked = {
                "search": search,
                "limit": str(_PAGE),
                "offset": str(offset),
                **({"state": state} if state else {}),
            }
            told = self._asked("GET", "/studies", params=asked).json()
            yield from map(StudySummary.of, told["studies"])
            offset += _PAGE
            if offset >= told["total"]:
                return

    def study(self, study: str) -> StudySummary:
        """One study; `plain` holds its images and measures.

        Raises:
            InputError: there is none.
        """
        return StudySummary.of(self._asked("GET", f"/studies/{study}").json())

    def measures(self, study: str) -> Mapping[str, Any]:
        """What `measures.json` holds, as the study stands now.

        Raises:
            InputError: there is no such study, or it is not analysed.
        """
        found = self.study(study).plain.get("measures")
        if found is None:
            raise InputError("this study is not analysed", where=study)
        told: Mapping[str, Any] = found
        return told

    def job(self, job: str) -> Job:
        """A piece of work.

        Raises:
            InputError: there is none.
        """
        return Job.of(self._asked("GET", f"/jobs/{job}").json())

    def wait(self, job: Job, *, on_job: OnJob | None = None, timeout_s: float | None = None) -> Job:
        """Wait until a piece of work has ended.

        Raises:
            WorkError: it has not ended in time.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while not job.has_ended:
            if until is not None and time.monotonic() > until:
                raise WorkError(f"{job.kind} has not ended in {timeout_s:g} s")
            time.sleep(_LOOK_S)
            job = self.job(job.id)
            if on_job is not None:
                on_job(job)
        return job

    # Out.

    def export(self, study: str, form: str, path: str | Path, *, of: str = "current", language: str = "en") -> Path:
        """Fetch a result of a study into a file.

        Args:
            study: which.
            form: such as report.html, report.pdf, labels.zip, measures.csv, segmentations.zip, fhir.json.
            path: where to; a file that is there is not written over.
            of: "current", or "automatic" for what the models found.
            language: of the report, "en" or "fr".

        Raises:
            InputError: there is no such study or form, or a file is there already.
        """
        target = Path(path)
        answer = self._asked("GET", f"/studies/{study}/export/{form}", params={"of": of, "language": language})
        try:
            with target.open("xb") as file:
                file.write(answer.content)
        except FileExistsError:
            raise InputError("is there already", where=target, remedy="choose another name.") from None
        except OSError as error:
            raise WorkError(f"cannot be written: {error.strerror}", where=target) from None
        return target

    def table(self, studies: Sequence[str]) -> str:
        """The values of several studies as one table, CSV."""
        return self._asked("GET", "/export/measures.csv", params={"studies": ",".join(studies)}).text

    def delete(self, study: str) -> None:
        """Delete a study with all that is known of it."""
        self._asked("DELETE", f"/studies/{study}")

    def cancel(self, job: str) -> None:
        """Cancel a piece of work."""
        self._asked("DELETE", f"/jobs/{job}")

    def _settled(self, study: str, on_job: OnJob | None) -> StudySummary:
        """A study once nothing more is done with it."""
        while (found := self.study(study)).state not in ENDED:
            job = found.plain.get("job")
            if on_job is not None and job:
                on_job(self.job(job))
            time.sleep(_LOOK_S)
        return found

    def _put(self, upload: str, number: int, name: str, path: Path) -> None:
        """Send a file; what broke off goes on where it stopped, once."""
        place = f"/uploads/{upload}/files/{number}"
        try:
            self._asked("PUT", place, params={"name": name, "offset": "0"}, content=_pieces(path, 0))
        except WorkError:
            files = self._asked("GET", f"/uploads/{upload}").json()["files"]
            there = next((file["received"] for file in files if file["n"] == number), 0)
            self._asked("PUT", place, params={"name": name, "offset": str(there)}, content=_pieces(path, there))

    def _asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        """An answer that is none of an error.

        Raises:
            InputError: what was asked for cannot be.
            WorkError: nobody answers, or something broke.
        """
        try:
            answer = self._http.request(method, f"{API}{path}", **more)
        except httpx.HTTPError as error:
            told = f"{self._http.base_url.host} does not answer ({type(error).__name__})"
            raise WorkError(told, remedy="is `cardiotrace serve` running there?") from None
        if answer.is_success:
            return answer
        text, remedy = _problem(answer)
        raise (WorkError if answer.status_code >= 500 else InputError)(text, remedy=remedy)


def _problem(answer: httpx.Response) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    try:
        error = answer.json()["error"]
        return str(error["text"]), str(error.get("remedy") or "")
    except (ValueError, KeyError, TypeError):
        return f"answered with status {answer.status_code}", ""


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Files at a path, with the names that they are sent under.

    Raises:
        InputError: there is nothing.
    """
    if path.is_dir():
        folder = path.resolve()  # "." has no name of its own
        found = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
        yield from ((file.relative_to(folder.parent).as_posix(), file) for file in found)
    elif path.is_file():
        yield path.name, path
    else:
        raise InputError("there is no such file or folder", where=path)


def _pieces(path: Path, offset: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while piece := file.read(_PIECE):
            yield piece
