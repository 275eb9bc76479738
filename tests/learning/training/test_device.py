import pytest
import torch

from cardiotrace.core.errors import UsageError
from cardiotrace.learning.training import device
from cardiotrace.learning.training.settings import TrainingSettings


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu sse2 avx512f avx512_bf16 amx_tile", True),
        ("fpu sse2 amx_bf16", True),
        ("fpu sse2 avx2 avx512f avx512_bf16x", False),
        ("", False),
    ],
)
def test_bfloat16_by_the_processors_own_words(flags, expected, tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nmodel name\t: avx512_bf16 is not a flag here\nflags\t\t: {flags}\n")
    assert device.cpu_computes_bfloat16(cpuinfo) is expected


def test_processors_that_say_nothing_do_not_compute_bfloat16(tmp_path):
    assert device.cpu_computes_bfloat16(tmp_path / "none") is False


@pytest.mark.parametrize(
    ("precision", "hardware", "expected"),
    [
        ("auto", True, "bf16-mixed"),
        ("auto", False, "32-true"),
        ("float32", True, "32-true"),
        ("bfloat16", False, "bf16-mixed"),
    ],
)
def test_precision_follows_settings_then_hardware(precision, hardware, expected, monkeypatch):
    monkeypatch.setattr(device, "cpu_computes_bfloat16", lambda: hardware)
    assert device.choose_precision(TrainingSettings(precision=precision), cuda=False) == expected


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_missing_cuda_is_said_not_replaced():
    with pytest.raises(UsageError, match="no CUDA device"):
        device.make_fabric(TrainingSettings(), accelerator="cuda")


def test_no_processes_cannot_train():
    with pytest.raises(UsageError, match="0 processes"):
        device.make_fabric(TrainingSettings(), accelerator="cpu", processes=0)


def test_determinism_is_switched_both_ways():
    device.make_fabric(TrainingSettings(deterministic=False), accelerator="cpu")
    assert not torch.are_deterministic_algorithms_enabled()
    device.make_fabric(TrainingSettings(deterministic=True), accelerator="cpu")
    assert torch.are_deterministic_algorithms_enabled()


def test_denormals_are_flushed_only_meanwhile():
    tiny = torch.full((64,), 1e-39)
    with device.flushed_denormals():
        assert (tiny * 0.5).max() == 0
    assert (tiny * 0.5).max() > 0
