"""What can be chosen when the application is started: the options of `cardiotrace serve`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cardiotrace.core.errors import UsageError
from cardiotrace.server.pacs.settings import NodeSettings, Peer

_MACHINE = r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class ServeConfig:
    """The application in the browser: where it keeps things, who reaches it, what it may use."""

    data: Path = Path("~/.local/share/cardiotrace")
    """Folder for everything that the application keeps."""
    host: str = "127.0.0.1"
    """Address to listen at; beyond this machine only with TLS, or --insecure-network."""
    port: int = 8765
    """Port to listen at; 0 takes any that is free."""
    names: tuple[str, ...] = ()
    """Further names by which browsers reach this machine."""
    database: str = ""
    """Address of a PostgreSQL database (postgresql+psycopg://USER@HOST/NAME); default: a file in the data folder."""
    token: str = ""
    """The secret that opens the application; default: one that is made once and kept in the data folder."""
    tls_cert: Path | None = None
    """Certificate for TLS, PEM."""
    tls_key: Path | None = None
    """Private key of the certificate, PEM."""
    insecure_network: bool = False
    """Listen beyond this machine without TLS: whoever listens in on the network sees everything."""
    demo: bool = False
    """Show a phantom exam as well, made when the application is first started so."""
    open: bool = False
    """Open the page in the browser."""
    dicom_port: int | None = None
    """Receive studies by DICOM at this port, such as 11112 (0: any that is free); default: not at all."""
    dicom_host: str = "127.0.0.1"
    """Address to receive DICOM at; beyond this machine only from named --dicom-peers."""
    ae_title: str = "CARDIOTRACE"
    """AE title by which scanners and archives know the application."""
    dicom_peers: tuple[str, ...] = ()
    """Who may send by DICOM: AE titles, or TITLE@ADDRESS; default: any program of this machine."""
    dicom_cert: Path | None = None
    """Certificate for DICOM by TLS, PEM."""
    dicom_key: Path | None = None
    """Private key of that certificate, PEM."""
    dicom_trusted: Path | None = None
    """Authorities, PEM: who sends must show a certificate of theirs."""
    inbox: Path | None = None
    """Folder that is watched: exams that are put there are analysed; its files stay as they are."""
    model: str | None = None
    """Name or path of the model for every image; default: the one for each image's view."""
    language: Literal["en", "fr"] = "en"
    """Language of the page and of reports, until somebody chooses another."""
    analysis_slots: int = 1
    """Exams that are analysed at a time."""
    desk_slots: int = 1
    """Processes that answer to edits."""
    idle_minutes: float = 5.0
    """A process that has nothing to do for so long gives its memory back."""
    upload_gib: float = 8.0
    """Largest upload."""
    quota_gib: float = 0.0
    """What all exams together may take on disk; 0: whatever is free."""
    keep_days: float = 0.0
    """Exams that are not signed are deleted after so many days; 0: never."""
    keep_signed_days: float = 0.0
    """Signed exams are deleted after so many days; 0: never."""
    backup: Path | None = None
    """Write a backup of everything to this file, also while the application runs, and end."""
    restore: Path | None = None
    """Fill an empty data folder, or an empty database, from a backup, and end."""

    def __post_init__(self) -> None:
        _require(0 <= self.port < 65536, f"--port {self.port}: there is no such port", "give 0 to 65535.")
        _require(self.analysis_slots >= 1, "--analysis-slots: at least one is needed", "give 1 or more.")
        _require(self.desk_slots >= 1, "--desk-slots: at least one is needed", "give 1 or more.")
        for name in ("idle_minutes", "upload_gib", "quota_gib", "keep_days", "keep_signed_days"):
            option = name.replace("_", "-")
            _require(getattr(self, name) >= 0, f"--{option}: a negative number", "give 0 or more.")
        _require(
            not self.token or len(self.token) >= 16,
            "--token: a secret this short can be guessed",
            "give 16 characters or more, or leave the option out.",
        )
        _require(
            self.inbox is None or self.inbox.expanduser().is_dir(),
            f"--inbox {self.inbox}: there is no such folder",
            "make it, or name another.",
        )
        for name in self.names:
            told = f"--names {name}: no name of a machine"
            _require(re.fullmatch(_MACHINE, name) is not None, told, "give it without http:// and port.")
        _require(
            (self.tls_cert is None) == (self.tls_key is None),
            "TLS needs a certificate and its key",
            "give both --tls-cert and --tls-key.",
        )
        _require(
            self.is_local or self.has_tls or self.insecure_network,
            f"--host {self.host} can be reached from other machines, and nothing would be encrypted",
            "give --tls-cert and --tls-key, or --insecure-network where the network itself is safe.",
        )

        _ = self.node

    @property
    def node(self) -> NodeSettings | None:
        """How studies are received by DICOM; None where they are not.

        Raises:
            ConfigError: a title or port that is none; or it is open to others, and none is named.
        """
        if self.dicom_port is None:
            return None
        return NodeSettings(
            ae_title=self.ae_title,
            host=self.dicom_host,
            port=self.dicom_port,
            peers=tuple(Peer.of(word) for word in self.dicom_peers),
            certificate=self.dicom_cert,
            key=self.dicom_key,
            trusted=self.dicom_trusted,
        )

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in _LOOPBACK

    @property
    def has_tls(self) -> bool:
        """Whether what is sent is encrypted."""
        return self.tls_cert is not None

    @property
    def folder(self) -> Path:
        """The data folder, as an absolute path."""
        return self.data.expanduser().absolute()

    @property
    def hosts(self) -> frozenset[str]:
        """Names that a browser may call this machine by; any other is a sign of DNS rebinding."""
        spoken = self.host.lower() if self.host not in ("0.0.0.0", "::", "") else "localhost"
        return frozenset({*_LOOPBACK, spoken, *(name.lower() for name in self.names)})

    @property
    def database_url(self) -> str:
        """Address of the database as SQLAlchemy takes it."""
        return self.database or f"sqlite:///{self.folder / 'cardiotrace.sqlite'}"


def _require(holds: bool, what: str, remedy: str) -> None:
    if not holds:
        raise UsageError(what, remedy=remedy)
