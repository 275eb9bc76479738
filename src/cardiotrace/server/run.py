"""Start the application: open the database, listen, print one address."""

import asyncio
import gc
import socket
import ssl
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from cardiotrace.core.errors import UsageError, WorkError
from cardiotrace.server.app import guarded
from cardiotrace.server.log import logged
from cardiotrace.server.services import Services
from cardiotrace.server.settings import ServeConfig
from cardiotrace.server.store.database import Database
from cardiotrace.server.store.folder import DataFolder
from cardiotrace.server.store.upgrade import newest_revision, present_revision, upgrade

_SECONDS_TO_END = 2
"""For requests that are open when the server is asked to end; pages that follow changes are ended at once."""

Say = Callable[[str], None]


def serve(config: ServeConfig, say: Say) -> None:
    """Serve until somebody asks to end.

    Args:
        config: what was chosen.
        say: prints a line.

    Raises:
        UsageError: another server works on the folder, or the port is taken.
        InputError: there is no such model, or it cannot be used.
        WorkError: the folder or the database cannot be used.
    """
    data = DataFolder(config.folder).make()
    if config.backup is not None:
        _back_up(config, data, config.backup, say)
        return
    with ExitStack() as stack:
        stack.enter_context(data.locked())
        if config.restore is not None:
            _restore(config, data, config.restore, say)
            return
        stack.enter_context(logged(data.log))
        listening = stack.enter_context(_listen(config))
        gc.freeze()  # what was loaded stays: no collection needs to look through it, and no answer to wait for that
        services = Services(config, opened(config, say), data.token(config.token))
        stack.callback(services.pool.kill)
        asyncio.run(services.require_model())
        address = _address(config, listening.getsockname()[1])
        server = _Server(_uvicorn_config(config, services), services, lambda: _welcome(config, services, address, say))
        server.run(sockets=[listening])
        if not server.started:
            raise WorkError("the server could not start", remedy=f"its log {data.log} says why.")


def _back_up(config: ServeConfig, data: DataFolder, target: Path, say: Say) -> None:
    from cardiotrace.server.store.backup import back_up  # a server needs it not

    count = back_up(_opened_as_it_is(config), data, target)
    say(f"{target}: {count} studies")


def _restore(config: ServeConfig, data: DataFolder, source: Path, say: Say) -> None:
    from cardiotrace.server.store.backup import restore

    count = restore(opened(config, say), data, source)
    say(f"{data.root}: {count} studies")


def opened(config: ServeConfig, say: Say) -> Database:
    """The database, brought up to date.

    Raises:
        UsageError: that is no database, or a newer program made it.
        WorkError: it cannot be opened.
    """
    database = Database(config.database_url)
    database.check()
    copy = upgrade(database)
    if copy is not None:
        say(f"the database was brought up to date; as it was before, it lies in {copy}")
    return database


def _opened_as_it_is(config: ServeConfig) -> Database:
    """The database without a change, for who only reads: a server may be at work with it.

    Raises:
        UsageError: there is none, or it is of another revision.
        WorkError: it cannot be opened.
    """
    database = Database(config.database_url)
    database.check()
    if present_revision(database) != newest_revision():
        remedy = "start `cardiotrace serve` once: it brings the database up to date."
        raise UsageError("there is nothing of this version to back up", where=config.folder, remedy=remedy)
    return database


class _Server(uvicorn.Server):
    """Tells when it listens, and ends pages that follow changes as soon as it is asked to end."""

    def __init__(self, config: uvicorn.Config, services: Services, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._services = services
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and tell."""
        await super().startup(sockets=sockets)
        if self.started:
            self._on_start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End; asked a second time, at once. To be asked is how a server ends, and no error."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, open pages first: they would hold the server up."""
        self._services.hub.close()
        await asyncio.sleep(0)
        await super().shutdown(sockets=sockets)


def _uvicorn_config(config: ServeConfig, services: Services) -> uvicorn.Config:
    return uvicorn.Config(
        guarded(services),
        log_config=None,
        access_log=False,  # it would write addresses with what they ask for
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=_SECONDS_TO_END,
        **_tls(config),
    )


def _tls(config: ServeConfig) -> dict[str, Any]:
    """Certificate and key as uvicorn takes them, tried once: it would say of neither what is wrong.

    Raises:
        UsageError: they are not there, do not belong together, or the key has a password.
    """
    if config.tls_cert is None or config.tls_key is None:
        return {}
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            config.tls_cert, config.tls_key, password=""
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise UsageError(
            f"--tls-cert {config.tls_cert.name} and --tls-key {config.tls_key.name} cannot be used ({why})",
            remedy="give a certificate and its key without a password, both as PEM.",
        ) from None
    return {"ssl_certfile": str(config.tls_cert), "ssl_keyfile": str(config.tls_key)}


def _listen(config: ServeConfig) -> socket.socket:
    """A socket that is bound, so that the address can be told before anything else is done."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((config.host, config.port))
    except OSError as error:
        listening.close()
        raise UsageError(
            f"{config.host}:{config.port} cannot be listened at ({error.strerror or error})",
            remedy="choose another --port, or --port 0 for any that is free.",
        ) from None
    return listening


def _address(config: ServeConfig, port: int) -> str:
    named = next(iter(config.names), config.host)
    host = "127.0.0.1" if named in ("0.0.0.0", "::") else named
    return f"{'https' if config.has_tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}/"


def _welcome(config: ServeConfig, services: Services, address: str, say: Say) -> None:
    url = f"{address}?token={services.token}"
    say(url)
    if config.open:
        webbrowser.open(url)
