"""What needs no torch works without it, and what does says so in one line; nobody hears the log unless asked for."""

import subprocess
import sys

import pytest

from tests.command import environment

WITHOUT = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "onnx", "lightning_fabric", "safetensors"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nothing())
from cardiotrace.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def run(*words):
    command = [sys.executable, "-c", WITHOUT, *map(str, words)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("verb", ["train", "crossval", "sweep", "plan", "export", "models join", "evaluate", "analyse"])
def test_help_needs_no_torch(verb):
    done = run(*verb.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: cardiotrace {verb}" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("train", "recipes/camus-unet1.toml"),
        ("models", "list", "--architectures"),
        ("plan", "--dataset", "camus", "--data", "PATH"),
        ("export", "RUN"),
    ],
)
def test_what_needs_torch_says_what_to_install(words, tmp_path):
    done = run(*(tmp_path if word == "PATH" else word for word in words))
    assert done.returncode == 2
    verb = "models list" if words[0] == "models" else words[0]
    first, second = done.stderr.splitlines()
    assert first.startswith(f"cardiotrace: `{verb}` needs ")
    assert second == "pip install -c constraints.txt torch 'cardiotrace[train]'"


def test_a_model_is_used_without_torch_and_the_log_is_quiet(camus, model, tmp_path):
    words = ("segment", camus / "database_nifti/patient0001", "--model", model, "--out", tmp_path)
    quiet = run(*words)
    assert (quiet.returncode, quiet.stderr) == (0, "")
    told = run(*words, "--overwrite", "--debug")
    assert told.returncode == 0
    assert f"DEBUG cardiotrace.workflows.services.tracing: loading {model}" in told.stderr.splitlines()
    assert "patient0001_4CH_ED: traced by tiny" in told.stderr
    assert told.stdout == quiet.stdout
