"""Trainings through the real command line: killed, resumed, spread over processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import torch
from safetensors.torch import load_file

from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.training_log import TrainingLog
from tests.fake.camus import write_camus
from tests.learning.training.test_run import rows_without_times
from tests.learning.training.tiny import RECIPE

AUGMENTATION = {"rotation_degrees": {"probability": 0.9, "low": -20, "high": 20}}
LONGEST_SECONDS = 600


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a fake CAMUS of five patients, of which three are trained on and one is validated on."""
    folder = tmp_path_factory.mktemp("command")
    write_camus(folder / "camus", patients=5, views=("4CH",))
    return folder


def command(place, out, *words, **training):
    values = {**RECIPE, "augmentation": AUGMENTATION, "training": {**RECIPE["training"], **training}}
    path = place / f"{out}.toml"
    path.write_text(tomli_w.dumps(values))
    words = ["train", str(path), "--data", str(place / "camus"), "--out", str(place / out), *words]
    return [
        sys.executable,
        "-m",
        "cardiotrace.cli.main",
        *words,
        "--cache",
        str(place / "cache"),
        "--accelerator",
        "cpu",
    ]


def finish(words):
    """Run to the end; processes that it started end with it whatever happens."""
    process = subprocess.Popen(
        words,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said, complained = process.communicate(timeout=LONGEST_SECONDS)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    assert process.returncode == 0, complained
    return said, complained


def environment():
    root = Path(__file__).parents[3]
    # The source of this tree, whatever is installed.
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(root), str(root / "src")])}


def run(place, out, *words, **training):
    return RunFolder(place / out), *finish(command(place, out, *words, **training))


def kill_after_first_row(place, out, **training):
    folder = RunFolder(place / out)
    process = subprocess.Popen(command(place, out, **training), env=environment(), stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + LONGEST_SECONDS
        while not TrainingLog(folder.journal).rows() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL, "it was done before it could be killed"
    return folder


@pytest.mark.slow
def test_killed_run_ends_as_an_unbroken_one(place):
    training = {"epochs": 8, "ema_decay": 0.9}
    whole, _, complained = run(place, "whole", **training)
    assert "torchvision" not in complained
    assert whole.model.exists()
    assert whole.curves.read_bytes().startswith(b"\x89PNG")
    broken = kill_after_first_row(place, "broken", **training)
    assert len(TrainingLog(broken.journal).rows()) < 8
    assert not broken.model.exists()
    run(place, "broken", "--resume", **training)
    assert broken.best.read_bytes() == whole.best.read_bytes()
    assert broken.checkpoint.read_bytes() == whole.checkpoint.read_bytes()
    assert rows_without_times(broken) == rows_without_times(whole)


def largest_difference(one: Path, other: Path):
    left, right = load_file(one), load_file(other)
    assert left.keys() == right.keys()
    return max(float((left[key].double() - right[key].double()).abs().max()) for key in left)


@pytest.mark.slow
def test_two_processes_train_as_one(place):
    # Batches of 5 divide unevenly. Dice is that of each share, so that a likeness is all that can be asked.
    training = {"epochs": 3, "batch_size": 5}
    one, *_ = run(place, "one", **training)
    two, said, _ = run(place, "two", "--processes", "2", **training)
    losses = [[row["loss"] for row in TrainingLog(folder.journal).rows()] for folder in (one, two)]
    assert losses[1][-1] < losses[1][0]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
    assert sorted(path.name for path in two.path.iterdir()) == sorted(path.name for path in one.path.iterdir())
    assert said.count("epoch   1/3") == 1
    assert load_file(two.best).keys() == load_file(one.best).keys()
    weights = load_file(one.best)
    scale = np.mean([float(weights[key].abs().mean()) for key in weights])
    assert largest_difference(one.best, two.best) < 2 * scale


@pytest.mark.slow
def test_processes_agree_to_the_bit(tmp_path):
    """Three processes, batches of two planes, one plane to validate, batch norm: each has too little to do."""
    finish([sys.executable, str(Path(__file__).with_name("agreeing.py")), str(tmp_path)])
    states = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(3)]
    assert states[0].keys() == states[1].keys() == states[2].keys()
    for key, value in states[0].items():
        assert torch.equal(value, states[1][key]), key
        assert torch.equal(value, states[2][key]), key
    assert all(not key.startswith(("module.", "_")) for key in states[0])
