"""Other names and identifiers for those that tell of a person: the same for the same under one key, and no way back."""

import hashlib
import os
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace.core.errors import InputError
from cardiotrace.core.file import read_limited
from cardiotrace.io.atomic import as_work_error
from cardiotrace.io.dicom.object_file import identity_of

if TYPE_CHECKING:
    from pydicom import Dataset

_BYTES, _LEAST, _MOST = 32, 16, 4096
_STANDARD = "1.2.840.10008."


@dataclass(frozen=True)
class Pseudonyms:
    """Names under one key.

    Example:
        >>> one, other = Pseudonyms(b"a key of sixteen"), Pseudonyms(b"another key of 16")
        >>> one.uid("1.2.3") == one.uid("1.2.3"), one.uid("1.2.3") == other.uid("1.2.3"), one.uid("1.2.3")[:5]
        (True, False, '2.25.')
        >>> one.uid("1.2.840.10008.5.1.4.1.1.4")
        '1.2.840.10008.5.1.4.1.1.4'
    """

    key: bytes = field(repr=False)

    def uid(self, stated: str) -> str:
        """An identifier in place of another; those of the standard itself, which name kinds of things, stay."""
        from pydicom.uid import UID

        if stated.startswith(_STANDARD) and UID(stated).name != stated:
            return stated
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', stated, 16), version=4).int}"

    def patient(self, header: "Dataset") -> str:
        """What a person is called: by the number, or by name and day of birth where there is none."""
        return f"ANON-{self._digest('patient', identity_of(header), 5).hex()}"

    def study(self, uid: str) -> str:
        """What tells the visits of a person apart."""
        return self._digest("study", uid, 3).hex()

    def _digest(self, kind: str, text: str, size: int) -> bytes:
        content = text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, key=self._short_key, person=kind.encode(), digest_size=size).digest()

    @property
    def _short_key(self) -> bytes:
        """Of a length that the hash takes."""
        return hashlib.blake2b(self.key, digest_size=_BYTES).digest()


def new_pseudonyms() -> Pseudonyms:
    """Names under a key that is nowhere kept: nobody can make them again."""
    return Pseudonyms(secrets.token_bytes(_BYTES))


def kept_pseudonyms(path: Path) -> Pseudonyms:
    """Names under the key in a file, which is made where there is none, for its owner's eyes alone.

    Raises:
        InputError: there is something that can be no key.
        WorkError: it cannot be made.
    """
    if not os.path.lexists(path):
        key = secrets.token_bytes(_BYTES).hex().encode()
        with as_work_error(path):
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(key + b"\n")
    key = read_limited(path, largest=_MOST).strip()
    if len(key) < _LEAST:
        raise InputError(
            f"is no key: it holds fewer than {_LEAST} letters", where=path, remedy="name a file that is not there yet."
        )
    return Pseudonyms(key)
