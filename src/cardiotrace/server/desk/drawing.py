"""Contours, long axes and disks over what the models found: drawn when somebody first looks at an image.

An analysis is done once its numbers are there; a few points for each outline take long. Whoever looks has the
exam opened at the desk thereby, and does not wait for that with the first correction.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from cardiotrace.server.desk.editing import study_params
from cardiotrace.server.store.journal import Document
from cardiotrace.server.store.studies import MissingError, get_study
from cardiotrace.server.store.tables import StudyRow
from cardiotrace.server.work.task import Order

if TYPE_CHECKING:
    from cardiotrace.server.services import Services


async def drawn_file(services: "Services", study: str, image: str, name: str) -> Path:
    """The file with the traces of all planes of an image as its analysis left them.

    Args:
        services: what the routes share.
        study: that was analysed.
        image: the name of an image that has labels.
        name: that its files have.

    Raises:
        MissingError: there is no such study, or it was not analysed.
    """
    row, document = await asyncio.to_thread(_analysed, services, study)
    path = services.data.study(study).drawn(document.analysis) / f"{name}.json"
    if not path.exists():
        params = {**study_params(services, row, document), "image": image, "target": str(path)}
        order = Order("draw", params, str(services.data.study(study).files))
        await services.pool.ask("desk", order, key=document.id)
    return path


def _analysed(services: "Services", study: str) -> tuple[StudyRow, Document]:
    with services.database.reading() as session:
        row = get_study(session, study)
    if row.analysis is None:
        raise MissingError("this study is not analysed", remedy="wait until it is.")
    return row, Document(study, study, row.analysis)
