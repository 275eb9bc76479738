"""The log: lines of JSON that name no patient, hold no token, and do not grow for ever."""

import datetime
import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

_LARGEST, _KEPT = 5_000_000, 3
_SECRET = re.compile(r"(token=|[Bb]earer )[\w\-.~+/=]+")


class JsonLines(logging.Formatter):
    """One line of JSON for each record; of an error its kind and places, not what it said of files."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        line = {
            "time": at,
            "level": record.levelname.lower(),
            "from": record.name.removeprefix("cardiotrace."),
            "text": _SECRET.sub(r"\1...", record.getMessage()),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["at"] = _places(record)
        return json.dumps(line, ensure_ascii=True)


def _places(record: logging.LogRecord) -> str:
    trace = record.exc_info[2] if record.exc_info else None
    places = []
    while trace is not None:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(places[-8:])


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Write what the server tells its log to a file while it lasts.

    Args:
        path: of the file, made for its owner alone.
    """
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600))
    handler = RotatingFileHandler(path, maxBytes=_LARGEST, backupCount=_KEPT, encoding="utf-8", delay=True)
    handler.setFormatter(JsonLines())
    logs = [logging.getLogger(name) for name in ("cardiotrace.server", "uvicorn.error")]
    before = [log.level for log in logs]
    for log, level in zip(logs, (logging.INFO, logging.WARNING), strict=True):
        log.addHandler(handler)
        log.setLevel(level)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.removeHandler(handler)
            log.setLevel(level)
        handler.close()
