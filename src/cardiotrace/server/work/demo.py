"""The exam that shows what the application does: a phantom heart by echo and by cine-MRI."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.datasets.converted import write_exam
from cardiotrace.server.store.folder import DataFolder
from cardiotrace.server.work.intake import taken_from
from cardiotrace.workflows.demo import DemoConfig, phantom_study

_NAME = "Phantom heart"


def make_demo(params: Mapping[str, Any], reporter: ProgressReporter) -> dict[str, Any]:
    """Make the phantom exam, as if somebody had sent it.

    Args:
        params: `data`, the data folder.
        reporter: told how far it is.

    Returns:
        As `take_upload`.
    """
    data = DataFolder(Path(params["data"]))
    tree = data.uploads / "demo"
    shutil.rmtree(tree, ignore_errors=True)
    folder = tree / _NAME
    folder.mkdir(mode=0o700, parents=True)
    try:
        with reporter.stage("imaging a beating heart"):
            exam, _ = phantom_study(DemoConfig())
        write_exam(exam, folder)
        return taken_from(data, tree, _NAME, reporter)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
