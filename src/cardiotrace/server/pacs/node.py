"""The node at which scanners and archives hand in studies: C-ECHO and C-STORE (PS3.4 annexes A and B).

It runs in a process of its own: what a broken sender does to it does not touch the application, and large studies do
not hold up its answers. Whole studies are moved, folder by folder, to where the application looks for them.
"""

import hashlib
import logging
import secrets
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.server.pacs.classes import COMPRESSED, FURTHER_CLASSES, IMAGE_CLASSES, PLAIN
from cardiotrace.server.pacs.received import NO_ROOM, NOT_UNDERSTOOD, SUCCESS, write_received
from cardiotrace.server.pacs.settings import READY, RECEIVING, NodeSettings

if TYPE_CHECKING:
    from pynetdicom import AE

LOG = logging.getLogger(__name__)
MOST_CONNECTIONS = 8
MOST_PDU = 2**17
_LOOK_S = 0.5
_LEAST_FREE = 2**30
"""Bytes that are left free on the disk."""
_HANDSHAKE_S = 5.0
"""Of TLS, for the other side to take its part."""


@dataclass
class Node:
    """Receives objects into a folder, study by study.

    Args:
        settings: as whom it listens, where, and to whom.
        folder: where studies are gathered; `ready` below it holds whole ones.
        on_study: called with the folder of each study that is whole, from the node's own thread.
    """

    settings: NodeSettings
    folder: Path
    on_study: Callable[[Path], None] = lambda _: None
    _last: dict[str, float] = field(default_factory=dict, init=False, repr=False)
    """When something of a study came, by the name of its folder."""
    _open: dict[Any, set[str]] = field(default_factory=dict, init=False, repr=False)
    """What each open connection has brought of."""
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _stopped: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _server: Any = field(default=None, init=False, repr=False)
    _watcher: threading.Thread | None = field(default=None, init=False, repr=False)

    def start(self) -> int:
        """Listen; gives the port.

        Raises:
            WorkError: the port is taken, or the folder cannot be made.
            InputError: the certificate or its key cannot be used.
        """
        from pynetdicom import evt

        try:
            for name in (RECEIVING, READY):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkError(f"cannot be made: {error.strerror}", where=self.folder) from None
        # What a killed node left: nothing more comes of it on the connections of before.
        for left in sorted((self.folder / RECEIVING).iterdir()):
            self._last[left.name] = time.monotonic()
        entity = self._entity()
        handlers = [
            (evt.EVT_C_ECHO, lambda _: SUCCESS),
            (evt.EVT_C_STORE, self._take),
            (evt.EVT_REQUESTED, self._check_host),
            (evt.EVT_CONN_CLOSE, self._closed),
        ]
        address = (self.settings.host, self.settings.port)
        try:
            self._server = entity.start_server(
                address, block=False, evt_handlers=handlers, ssl_context=_server_context(self.settings)
            )
        except OSError as error:
            raise WorkError(
                f"the DICOM node cannot listen on {address[0]}:{address[1]}: {error.strerror or error}",
                remedy="another program may have the port: choose another one.",
            ) from None
        self._watcher = threading.Thread(target=self._watch, name="studies", daemon=True)
        self._watcher.start()
        port: int = self._server.socket.getsockname()[1]
        LOG.info("DICOM node %s listens on %s:%d", self.settings.ae_title, address[0], port)
        return port

    def stop(self) -> None:
        """Listen no more; studies of which something may still come stay for the next start."""
        self._stopped.set()
        if self._server is not None:
            self._server.shutdown()
        if self._watcher is not None:
            self._watcher.join(10)

    def _entity(self) -> "AE":
        from pynetdicom import AE

        settings = self.settings
        entity = AE(ae_title=settings.ae_title)
        entity.require_called_aet = True
        entity.require_calling_aet = [peer.ae_title for peer in settings.peers]
        entity.maximum_associations, entity.maximum_pdu_size = MOST_CONNECTIONS, MOST_PDU
        entity.network_timeout, entity.acse_timeout, entity.dimse_timeout = 60.0, 30.0, 60.0
        entity.add_supported_context("1.2.840.10008.1.1", list(PLAIN))
        for sop_class in (*IMAGE_CLASSES, *FURTHER_CLASSES):
            entity.add_supported_context(sop_class, [*PLAIN, *COMPRESSED])
        return entity

    def _check_host(self, event: Any) -> None:
        """Let nobody in who calls himself a peer from another address; other titles are refused by themselves."""
        requestor = event.assoc.requestor
        named = [peer for peer in self.settings.peers if _is_called(peer.ae_title, requestor)]
        if named and not any(peer.host in ("", requestor.address) for peer in named):
            LOG.warning("a connection was refused: no peer of that name is at that address")
            event.assoc.abort()

    def _take(self, event: Any) -> int:
        name = _folder_of(event)
        if not name:
            return NOT_UNDERSTOOD
        if shutil.disk_usage(self.folder).free < _LEAST_FREE:
            LOG.error("an object was refused: less than %d bytes are free", _LEAST_FREE)
            return NO_ROOM
        with self._lock:
            # Noted before it is written, so that the study is not taken for whole in between.
            self._open.setdefault(event.assoc, set()).add(name)
            self._last[name] = time.monotonic()
        status = write_received(event, self.folder / RECEIVING / name)
        with self._lock:
            self._last[name] = time.monotonic()
        return status

    def _closed(self, event: Any) -> None:
        with self._lock:
            for name in self._open.pop(event.assoc, set()):
                self._last[name] = time.monotonic()

    def _watch(self) -> None:
        while not self._stopped.wait(min(_LOOK_S, max(self.settings.quiet_s / 2, 0.05))):
            for name in self._whole():
                self._hand_over(name)

    def _whole(self) -> list[str]:
        now = time.monotonic()
        with self._lock:
            busy = set().union(*self._open.values()) if self._open else set()
            return [name for name, at in self._last.items() if name not in busy and now - at >= self.settings.quiet_s]

    def _hand_over(self, name: str) -> None:
        """Move a study to where it is looked for; what comes of it later is a folder of its own.

        No name is used twice: who takes studies in knows by it what was taken already.
        """
        with self._lock:
            if any(name in brought for brought in self._open.values()):
                return
            self._last.pop(name, None)
            target = self.folder / READY / f"{name}-{secrets.token_hex(4)}"
            try:
                (self.folder / RECEIVING / name).rename(target)
            except FileNotFoundError:
                return  # nothing of it could be written
            except OSError as error:
                LOG.error("a study could not be moved: %s", error.strerror)
                self._last[name] = time.monotonic()
                return
        self.on_study(target)


def _folder_of(event: Any) -> str:
    """The folder of the study that an object belongs to: its day and a digest; empty where it says no study.

    Nothing in the name tells whose it is.
    """
    from io import BytesIO

    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    tags: list[str] = ["StudyInstanceUID", "StudyDate"]
    try:
        header = dcmread(BytesIO(event.encoded_dataset()), stop_before_pixels=True, specific_tags=tags)
        study, day = (str(header.get(tag) or "").strip() for tag in tags)
    except (InvalidDicomError, ValueError, AttributeError, EOFError, NotImplementedError, KeyError):
        return ""
    digest = hashlib.sha256(study.encode()).hexdigest()[:16]
    return f"{day if len(day) == 8 and day.isdigit() else 'study'}-{digest}" if study else ""


def _is_called(ae_title: str, requestor: Any) -> bool:
    return str(requestor.primitive.calling_ae_title).strip() == ae_title.strip()


class _Handshakes(ssl.SSLContext):
    """Waits for the other side of a handshake for a while only: nobody else is heard until it is over."""

    def wrap_socket(self, sock: socket.socket, *args: Any, **options: Any) -> ssl.SSLSocket:
        """See `ssl.SSLContext.wrap_socket`."""
        sock.settimeout(_HANDSHAKE_S)
        wrapped = super().wrap_socket(sock, *args, **options)
        wrapped.settimeout(None)
        return wrapped


def _server_context(settings: NodeSettings) -> ssl.SSLContext | None:
    """How messages are kept secret; None in the clear.

    Raises:
        InputError: a certificate or key cannot be used.
    """
    if settings.certificate is None:
        return None
    try:
        context = _Handshakes(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.certificate, settings.key)
        if settings.trusted is not None:
            context.load_verify_locations(cafile=settings.trusted)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        raise InputError(f"node: a certificate or key cannot be used: {error.strerror or error}") from None
    return context
