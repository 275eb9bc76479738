"""An archive that is spoken to by DICOM messages (PS3.4, PS3.7): echo, find, get and store."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.server.pacs.classes import COMPRESSED, FURTHER_CLASSES, IMAGE_CLASSES, PLAIN
from cardiotrace.server.pacs.destination import Destination, Tls
from cardiotrace.server.pacs.received import SUCCESS, write_received
from cardiotrace.server.pacs.study_query import (
    MOST_ANSWERS,
    RETURNED,
    FoundStudy,
    StudyQuery,
    found_study,
)

if TYPE_CHECKING:
    from pydicom import Dataset
    from pynetdicom import AE
    from pynetdicom.association import Association

VERIFICATION = "1.2.840.10008.1.1"
STUDY_FIND, STUDY_GET = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.3"
PENDING, WARNINGS = (0xFF00, 0xFF01), (0xB000, 0xB006, 0xB007)
"""Status of an answer beside success: one of several; taken, though not quite as it was (PS3.7 annex C)."""
CONNECT_S, ANSWER_S = 10.0, 120.0
"""How long is waited for the other side to be there, and to answer."""
_MOST_CONTEXTS = 128
"""That one association can agree on."""


@dataclass(frozen=True)
class MessageArchive:
    """See `remote.Archive`."""

    destination: Destination

    def echo(self) -> None:
        """See `remote.Archive`."""
        with self._associated([(VERIFICATION, PLAIN)]) as association:
            self._require(association.send_c_echo(), "an echo")

    def find(self, query: StudyQuery) -> list[FoundStudy]:
        """See `remote.Archive`."""
        found: list[FoundStudy] = []
        with self._associated([(STUDY_FIND, PLAIN)]) as association:
            for status, values in association.send_c_find(_asked(query), STUDY_FIND):
                if self._require(status, "a query") and values is not None:
                    study = found_study(_told(values))
                    found += [] if study is None else [study]
                if len(found) > MOST_ANSWERS:
                    raise InputError(
                        f"{self.destination.name} has more than {MOST_ANSWERS} such studies",
                        remedy="ask for fewer: another date, or a patient.",
                    )
        return found

    def retrieve(self, study_uid: str, folder: Path, on_progress: OnProgress | None = None) -> int:
        """See `remote.Archive`."""
        from pynetdicom import build_role, evt

        # Archives answer for a study that they do not have in many ways, some of them as if something were broken.
        if not self.find(StudyQuery(study_uid=study_uid)):
            raise InputError(f"{self.destination.name} has no study {study_uid}")
        taken = 0

        def take(event: Any) -> int:
            nonlocal taken
            status = write_received(event, folder)
            taken += status == SUCCESS
            return status

        classes = [*IMAGE_CLASSES, *FURTHER_CLASSES]
        offered = [(STUDY_GET, PLAIN), *((each, (*PLAIN, *COMPRESSED)) for each in classes)]
        roles = [build_role(each, scp_role=True) for each in classes]
        with self._associated(offered, roles=roles, handlers=[(evt.EVT_C_STORE, take)]) as association:
            for status, _ in association.send_c_get(_whole(study_uid), STUDY_GET):
                self._require(status, "a retrieval")
                if on_progress is not None:
                    on_progress(taken, taken + int(status.get("NumberOfRemainingSuboperations") or 0))
        if not taken:
            raise InputError(f"{self.destination.name} sent nothing of study {study_uid}", remedy="ask which it has.")
        return taken

    def send(self, files: Sequence[Path], on_progress: OnProgress | None = None) -> None:
        """See `remote.Archive`."""
        objects = [_stored(path) for path in files]
        kinds = dict.fromkeys((sop_class, syntax) for _, sop_class, syntax in objects)
        offered: list[tuple[str, Sequence[str]]] = [(sop_class, (syntax,)) for sop_class, syntax in kinds]
        offered += [(sop_class, PLAIN) for sop_class in dict.fromkeys(sop_class for sop_class, _ in kinds)]
        with self._associated(offered[:_MOST_CONTEXTS]) as association:
            agreed = {
                (context.abstract_syntax, context.transfer_syntax[0]) for context in association.accepted_contexts
            }
            for path, sop_class, syntax in counted(objects, on_progress):
                if (sop_class, syntax) in agreed:
                    status = association.send_c_store(path)
                elif any((sop_class, plain) in agreed for plain in PLAIN):
                    status = association.send_c_store(_decompressed(path))
                else:
                    raise WorkError(
                        f"{self.destination.name} does not take objects of class {_class_name(sop_class)}",
                        where=path.name,
                        remedy="switch that form off in the rules, or let the archive take it.",
                    )
                self._require(status, path.name)

    @contextmanager
    def _associated(
        self, contexts: Sequence[tuple[str, Sequence[str]]], *, roles: Sequence[Any] = (), handlers: Sequence[Any] = ()
    ) -> Iterator["Association"]:
        """A connection on which some classes are agreed on, for the length of some work.

        Raises:
            WorkError: nobody answers there, or wants nothing of it.
        """
        where = self.destination
        entity = _entity(where.own_ae_title)
        for sop_class, syntaxes in contexts:
            entity.add_requested_context(sop_class, list(syntaxes))
        context = client_context(where.tls)
        association = entity.associate(
            where.host,
            where.port,
            ae_title=where.ae_title,
            ext_neg=list(roles) or None,
            evt_handlers=list(handlers) or None,
            tls_args=None if context is None else (context, where.host),
        )
        if not association.is_established:
            raise WorkError(
                f"{where.name} ({where.address}) {_refusal(association)}",
                remedy="check address, port and both AE titles: archives answer those that they know.",
            )
        try:
            yield association
        finally:
            if association.is_established:
                association.release()

    def _require(self, status: "Dataset", what: str) -> bool:
        """Refuse an answer that is an error; gives whether more answers follow.

        Raises:
            WorkError: it is one, or none came.
        """
        code = status.get("Status")
        if code in PENDING:
            return True
        if code == SUCCESS or code in WARNINGS:
            return False
        told = "broke off or did not answer" if code is None else f"refused with status 0x{code:04X}"
        comment = str(status.get("ErrorComment") or "")
        words = f"{self.destination.name} {told}: {what}" + (f" ({comment})" if comment else "")
        raise WorkError(words, remedy="the archive's own log says why; it may not know this program.")


def client_context(tls: Tls | None) -> ssl.SSLContext | None:
    """How the other side is checked, and what is shown to it; None in the clear.

    Raises:
        InputError: a certificate or key cannot be read.
    """
    if tls is None:
        return None
    try:
        context = ssl.create_default_context(cafile=tls.certificates)
        if tls.own_certificate is not None:
            context.load_cert_chain(tls.own_certificate, tls.own_key)
    except OSError as error:
        raise InputError(f"a certificate or key cannot be used: {error.strerror or error}") from None
    return context


def _entity(title: str) -> "AE":
    from pynetdicom import AE

    entity = AE(ae_title=title)
    entity.connection_timeout = entity.acse_timeout = CONNECT_S
    entity.dimse_timeout = entity.network_timeout = ANSWER_S
    return entity


def _refusal(association: "Association") -> str:
    # Where nobody listens, pynetdicom tells the same as where somebody breaks off.
    return "does not want to speak with this program" if association.is_rejected else "does not answer"


def _asked(query: StudyQuery) -> "Dataset":
    from pydicom import Dataset

    asked = Dataset()
    asked.QueryRetrieveLevel = "STUDY"
    asked.SpecificCharacterSet = "ISO_IR 192"
    for keyword in RETURNED:
        setattr(asked, keyword, "")
    for keyword, value in query.keys.items():
        if value:
            setattr(asked, keyword, value)
    return asked


def _whole(study_uid: str) -> "Dataset":
    from pydicom import Dataset

    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", study_uid
    return asked


def _told(values: "Dataset") -> dict[str, Any]:
    return {keyword: value for keyword in RETURNED if (value := values.get(keyword)) is not None}


def _stored(path: Path) -> tuple[Path, str, str]:
    """Class and transfer syntax of a file.

    Raises:
        InputError: it is no DICOM object.
    """
    from pydicom.filereader import read_file_meta_info

    try:
        meta = read_file_meta_info(path)
        return path, str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)
    except (OSError, AttributeError, ValueError, EOFError):
        raise InputError("is no DICOM object", where=path.name) from None


def _decompressed(path: Path) -> "Dataset":
    from pydicom import dcmread

    stored = dcmread(path)
    stored.decompress()
    return stored


def _class_name(uid: str) -> str:
    from pydicom.uid import UID

    return UID(uid).name
