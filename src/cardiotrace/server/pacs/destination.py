"""Where results go to and studies come from: an archive, by DICOM messages or by the web, as data."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from cardiotrace.core.errors import ConfigError

_AE_TITLE = re.compile(r"[ -\[\]-~]{1,16}")
"""Sixteen printable characters of ASCII, no backslash (PS3.5, AE)."""
_NAME = re.compile(r"[\w .-]{1,64}")
MOST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Tls:
    """Who may be spoken to in secret."""

    certificates: Path | None = None
    """PEM file of the authorities that are trusted; None: those of the system."""
    own_certificate: Path | None = None
    """PEM file that this program shows the other side."""
    own_key: Path | None = None
    """Its key."""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """An archive.

    Raises:
        ConfigError: something that its kind needs is missing or is none.

    Example:
        >>> Destination(name="hospital", host="pacs", port=104, ae_title="PACS").address
        'PACS at pacs:104'
        >>> Destination(name="cloud", kind="dicomweb", url="http://pacs/dicom-web").address
        'http://pacs/dicom-web'
    """

    name: str
    """By which rules and requests name it."""
    kind: Literal["dicom", "dicomweb"] = "dicom"
    host: str = ""
    port: int = 0
    ae_title: str = ""
    """Of the archive."""
    own_ae_title: str = "CARDIOTRACE"
    """What this program calls itself: archives may answer only those that they know."""
    url: str = ""
    """Root of the DICOMweb services, such as http://pacs/dicom-web."""
    user: str = ""
    password_file: Path | None = None
    """Its first line is the password: no secret stands in the settings."""
    token_file: Path | None = None
    """Its first line is sent as `Authorization: Bearer`."""
    tls: Tls | None = None
    """None: messages travel in the clear, and certificates of https are checked as the system does."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"{self.name!r} cannot be the name of a destination",
                remedy="letters, digits, blanks, dots, - and _, at most 64 of them.",
            )
        if self.kind == "dicomweb":
            self._require_url()
        else:
            self._require_node()

    def _require_url(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ConfigError(
                f"destination {self.name}: {self.url!r} is no root of DICOMweb services",
                remedy="such as https://pacs.example/dicom-web, with user and password_file beside it.",
            )

    def _require_node(self) -> None:
        require_ae_title(self.ae_title, f"destination {self.name}: ae_title")
        require_ae_title(self.own_ae_title, f"destination {self.name}: own_ae_title")
        if not self.host or not 0 < self.port <= MOST_PORT:
            raise ConfigError(f"destination {self.name} needs a host and a port, such as 104 or 11112")

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that are read to speak with it: secrets and certificates."""
        tls = self.tls or Tls()
        named = (self.password_file, self.token_file, tls.certificates, tls.own_certificate, tls.own_key)
        return tuple(path for path in named if path is not None)

    @property
    def address(self) -> str:
        """Where it is, in words; nothing secret."""
        return self.url if self.kind == "dicomweb" else f"{self.ae_title} at {self.host}:{self.port}"


def require_ae_title(title: str, what: str) -> None:
    """Refuse what no DICOM program may call itself.

    Raises:
        ConfigError: it is not 1 to 16 printable characters of ASCII, or nothing but blanks.
    """
    if not _AE_TITLE.fullmatch(title) or not title.strip():
        raise ConfigError(f"{what}: {title!r} is no AE title", remedy="1 to 16 letters, digits, blanks, - and _.")
