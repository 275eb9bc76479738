"""Objects that come by the network, written as they came: nothing of them is decoded on the way."""

import hashlib
import logging
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import CardioTraceError
from cardiotrace.io import write_bytes

LOG = logging.getLogger(__name__)
SUCCESS, NO_ROOM, NOT_UNDERSTOOD = 0x0000, 0xA700, 0xC000
"""Answers to an object: taken; no room for it; no object (PS3.4 table B.2-1)."""
MOST_BYTES = 2**31
"""Of one object."""


def write_received(event: Any, folder: Path, *, most_bytes: int = MOST_BYTES) -> int:
    """Write the object of a store request into a folder, under a name that nobody chose; gives the answer's status.

    Args:
        event: pynetdicom's, of a C-STORE request.
        folder: made if it is not there.
        most_bytes: that the object may have.
    """
    content = event.encoded_dataset()
    if len(content) > most_bytes:
        LOG.warning("an object of %d bytes was refused: the most is %d", len(content), most_bytes)
        return NO_ROOM
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Identifiers come from elsewhere and may be anything: a digest is a name for a file, whatever they are.
        name = hashlib.sha256(str(event.request.AffectedSOPInstanceUID).encode()).hexdigest()
        write_bytes(folder / f"{name}.dcm", content)
    except (OSError, CardioTraceError) as error:
        LOG.error("an object could not be written: %s", error)
        return NO_ROOM
    return SUCCESS
