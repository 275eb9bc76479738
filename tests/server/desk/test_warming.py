"""A process that is warm has what an analysis loads, and the model."""

import subprocess
import sys

from tests.command import environment

_WARM = """
import sys
from cardiotrace.core.reporter import SilentReporter
from cardiotrace.server.tasks import TASKS
assert not {named} & set(sys.modules)
TASKS["warm"].work({{"model": {model!r}}}, SilentReporter())
from cardiotrace.server.work.analysis import analyser
print(sorted({named} - set(sys.modules)), analyser.cache_info().currsize)
"""
_NAMED = {"onnxruntime", "scipy.ndimage", "contourpy", "cardiotrace.report.overlay", "cardiotrace.server.desk.opened"}


def test_a_warm_process_has_its_model_and_libraries(tiny_model):
    code = _WARM.format(named=_NAMED, model=str(tiny_model))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False)
    assert (done.stdout, done.stderr) == ("[] 1\n", "")
