import sys

import pytest
import torch
from lightning_fabric import Fabric as Lightning
from safetensors.torch import load_file

from cardiotrace.core.errors import UsageError
from cardiotrace.learning.models.network import TrainingOutputs
from cardiotrace.learning.training import device
from cardiotrace.learning.training.fabric import SingleDevice
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.settings import TrainingSettings
from tests.learning.training.test_run import run
from tests.learning.training.tiny import recipe

CPU = torch.device("cpu")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_one_device_trains_to_the_weights_of_lightning(precision, tmp_path, monkeypatch):
    settings = {"epochs": 2, "precision": precision, "gradient_clip": 0.05, "ema_decay": 0.9}
    some = recipe(training=settings)
    with_lightning, without = RunFolder(tmp_path / "with"), RunFolder(tmp_path / "without")
    with_lightning.path.mkdir()
    without.path.mkdir()
    run(with_lightning, some)
    monkeypatch.setattr(device, "_lightning", lambda: None)
    run(without, some)
    for name in ("best", "checkpoint"):
        theirs, ours = (load_file(getattr(folder, name)) for folder in (with_lightning, without))
        assert theirs.keys() == ours.keys()
        assert all(torch.equal(theirs[key], ours[key]) for key in theirs)


def test_fabric_is_lightnings_where_it_is_installed(monkeypatch):
    assert isinstance(device.make_fabric(TrainingSettings(), accelerator="cpu"), Lightning)
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)  # as if it were not there
    fabric = device.make_fabric(TrainingSettings(precision="bfloat16"), accelerator="cpu")
    assert isinstance(fabric, SingleDevice)
    assert (fabric.device, fabric.precision) == (CPU, "bf16-mixed")
    with pytest.raises(UsageError, match="several processes need lightning-fabric"):
        device.make_fabric(TrainingSettings(), accelerator="cpu", processes=2)


def test_several_outputs_come_back_in_float32():
    class Two(torch.nn.Module):
        def forward(self, images):
            logits = torch.nn.functional.conv2d(images, torch.ones(2, 1, 1, 1))
            return TrainingOutputs((logits, logits[..., ::2]), (1.0, 0.5), {"motion": logits * 2})

    network = SingleDevice(CPU, "bf16-mixed").setup(Two())
    outputs = network(torch.full((1, 1, 2, 2), 1.00390625))  # lies between two numbers of bfloat16
    assert isinstance(outputs, TrainingOutputs)
    assert outputs.weights == (1.0, 0.5)
    assert {values.dtype for values in (*outputs.logits, outputs.features["motion"])} == {torch.float32}
    assert float(outputs.logits[0][0, 0, 0, 0]) == 1.0
