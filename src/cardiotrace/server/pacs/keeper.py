"""Keeps the node in a process of its own, and takes in what it hands over."""

import asyncio
import logging
import multiprocessing
import os
import secrets
import shutil
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace.core.errors import CardioTraceError
from cardiotrace.server.arrivals import Arrivals
from cardiotrace.server.pacs.settings import READY, NodeSettings

if TYPE_CHECKING:
    from cardiotrace.server.services import Services

_LOG = logging.getLogger(__name__)
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BEFORE_ANOTHER = 5.0
_SECONDS_TO_START = 60.0


@dataclass
class NodeKeeper:
    """Runs the node while the server runs: started again if it ends, ended with the server.

    Args:
        services: that take studies in.
        settings: as whom it listens, where, and to whom.
    """

    services: "Services"
    settings: NodeSettings
    port: int | None = field(default=None, init=False)
    """At which it listens; None while it does not."""
    problem: str = field(default="", init=False)
    """Why it does not."""
    _process: SpawnProcess | None = field(default=None, init=False, repr=False)
    _channel: Connection | None = field(default=None, init=False, repr=False)

    @property
    def folder(self) -> Path:
        """Where the node keeps what it receives."""
        return self.services.data.root / "node"

    async def watch(self) -> None:
        """Start the node, look after it, take in what is whole; runs while the server does."""
        try:
            while True:
                try:
                    await asyncio.to_thread(self.look)
                except Exception:
                    _LOG.exception("the DICOM node could not be looked after")
                await asyncio.sleep(_SECONDS_BETWEEN_LOOKS if self.port is not None else _SECONDS_BEFORE_ANOTHER)
        finally:
            self.close()

    def look(self) -> list[str]:
        """See to it that the node runs; take in whole studies.

        Returns:
            The jobs that do so.
        """
        if self._process is None or not self._process.is_alive():
            self._start()
        ready = self.folder / READY
        return [self.take(folder) for folder in sorted(ready.iterdir())] if ready.is_dir() else []

    def take(self, folder: Path) -> str:
        """Queue the intake of a study that the node handed over; gives the job."""
        paths = sorted(folder.iterdir())
        # In a folder of the study's name: what is found in it is called after it.
        files = [(path, f"{folder.name}/{path.name}") for path in paths]
        # Linked, not moved: should the server be killed before it is written down, the study is still here.
        arrivals = Arrivals(self.services, "node", "dicom", os.link)
        # Of folders that are gone nothing needs to be remembered.
        job = arrivals.take(
            folder.name, secrets.token_hex(8), files, is_over=lambda name: not (folder.parent / name).exists()
        )
        shutil.rmtree(folder, ignore_errors=True)
        _LOG.info("%d objects that were sent are taken in by job %s", len(paths), job)
        return job

    def close(self) -> None:
        """End the node; what it has received stays for the next."""
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.join(5)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        self._process = self._channel = self.port = None

    def _start(self) -> None:
        self.close()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (self.settings, self.folder, theirs)
        self._process = context.Process(target=run_node, args=arguments, name="node", daemon=True)
        self._process.start()
        theirs.close()
        self._channel = ours
        try:
            answer = ours.recv() if ours.poll(_SECONDS_TO_START) else "it did not start"
        except EOFError:
            answer = "it ended at once"
        self.port, self.problem = (answer, "") if isinstance(answer, int) else (None, str(answer))
        if self.problem:
            _LOG.error("the DICOM node does not run: %s", self.problem)
            self.close()


def run_node(settings: NodeSettings, folder: Path, channel: Connection) -> None:
    """Run the node until the other end of the channel is closed; what the process of the node does.

    Args:
        settings: as whom it listens, where, and to whom.
        folder: where it keeps what it receives.
        channel: is told the port, or in words why there is none.
    """
    import signal

    from cardiotrace.server.pacs.node import Node  # loads the protocol, and arrays

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this
    node = Node(settings, folder)
    try:
        channel.send(node.start())
    except CardioTraceError as error:
        channel.send(error.what)
        return
    try:
        channel.poll(None)
        channel.recv()
    except (EOFError, OSError):
        pass
    finally:
        node.stop()
