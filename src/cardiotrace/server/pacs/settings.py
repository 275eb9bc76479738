"""What the application knows of the network, as data: destinations, rules, and its own node."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cardiotrace.core.config import from_plain, to_plain
from cardiotrace.core.errors import ConfigError
from cardiotrace.server.pacs.destination import MOST_PORT, Destination, require_ae_title

RECEIVING, READY = "receiving", "ready"
"""Folders below the node's own: studies of which something may still come, and whole ones."""
Form = Literal["segmentations", "structured-report", "pages", "pdf"]
"""What is sent of an exam: its outlines, its measures, its report as pictures of its pages, or as a PDF."""
Origin = Literal["upload", "inbox", "dicom", "demo"]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A program that may send objects."""

    ae_title: str
    host: str = ""
    """Its address; empty: any."""

    def __post_init__(self) -> None:
        require_ae_title(self.ae_title, "node: ae_title of a peer")

    @classmethod
    def of(cls, word: str) -> "Peer":
        """From TITLE or TITLE@ADDRESS.

        Raises:
            ConfigError: the title is none.

        Example:
            >>> Peer.of("SCANNER@10.0.0.7")
            Peer(ae_title='SCANNER', host='10.0.0.7')
        """
        title, _, host = word.partition("@")
        return cls(ae_title=title, host=host)

    def __str__(self) -> str:
        return f"{self.ae_title}@{self.host}" if self.host else self.ae_title


@dataclass(frozen=True, kw_only=True)
class NodeSettings:
    """The node at which scanners and archives hand in studies.

    Raises:
        ConfigError: the AE title or the port is none; or it is open to the network, and nobody is named who may send.
    """

    ae_title: str = "CARDIOTRACE"
    host: str = "127.0.0.1"
    """On which it listens: of this machine alone, unless another is named."""
    port: int = 11112
    peers: tuple[Peer, ...] = ()
    """Who may send; empty: any program of this machine."""
    quiet_s: float = 10.0
    """A study is whole when nothing of it has come for so long, and no connection that brought of it is open."""
    certificate: Path | None = None
    """PEM file; with it and its key, messages travel by TLS alone."""
    key: Path | None = None
    trusted: Path | None = None
    """PEM file of authorities: who hands in must show a certificate of theirs; None: nobody must."""

    def __post_init__(self) -> None:
        require_ae_title(self.ae_title, "node: ae_title")
        if not 0 <= self.port <= MOST_PORT or self.quiet_s < 0:
            raise ConfigError("node: a port is from 0 to 65535, and quiet_s not negative")
        if (self.certificate is None) != (self.key is None):
            raise ConfigError("node: a certificate needs its key, and a key its certificate")
        if not self.is_local and not self.peers:
            raise ConfigError(
                f"node: {self.host} can be reached from elsewhere, and no peer is named",
                remedy="name the AE titles that may send, or listen on 127.0.0.1.",
            )

    @property
    def is_local(self) -> bool:
        """Whether only programs of this machine reach it."""
        return self.host in ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What happens to a study that comes in. The first rule that fits counts; without one it is analysed, not sent."""

    name: str = ""
    origins: tuple[Origin, ...] = ()
    """How it came; empty: any way."""
    modalities: tuple[str, ...] = ()
    """US, MR: one of its images is of one of them; empty: any."""
    analyse: bool = True
    send_to: tuple[str, ...] = ()
    """Names of destinations that results are sent to when it is done; empty: nothing is sent."""
    forms: tuple[Form, ...] = ("segmentations", "structured-report", "pages")

    def fits(self, origin: str, modalities: Sequence[str]) -> bool:
        """Whether it is about such a study.

        Example:
            >>> rule = Rule(origins=("dicom",), modalities=("MR",))
            >>> rule.fits("dicom", ["MR"]), rule.fits("dicom", ["US"]), rule.fits("upload", ["MR"])
            (True, False, False)
        """
        is_its_modality = not self.modalities or bool(set(self.modalities) & set(modalities))
        return is_its_modality and (not self.origins or origin in self.origins)


USUAL_RULE = Rule(name="usual")


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """All of it.

    Raises:
        ConfigError: two destinations have one name, or a rule sends to one that is not there.
    """

    destinations: tuple[Destination, ...] = ()
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        names = [destination.name for destination in self.destinations]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(f"two destinations are called {twice[0]!r}")
        missing = sorted({name for rule in self.rules for name in rule.send_to} - set(names))
        if missing:
            known = f"known: {', '.join(names)}." if names else "there is none yet."
            raise ConfigError(f"a rule sends to {missing[0]!r}, which is no destination", remedy=known)

    def rule_for(self, origin: str, modalities: Sequence[str]) -> Rule:
        """What happens to a study that came in."""
        return next((rule for rule in self.rules if rule.fits(origin, modalities)), USUAL_RULE)

    @classmethod
    def from_plain(cls, values: Any) -> "NetworkSettings":
        """From plain data.

        Raises:
            ConfigError: an unknown key, or a value that is none.
        """
        return from_plain(cls, values)

    def to_plain(self) -> dict[str, Any]:
        """As plain data; holds no secret."""
        plain: dict[str, Any] = to_plain(self)
        return plain
