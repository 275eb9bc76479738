"""What came of an iteration of RL4Seg, and the names of its files."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from cardiotrace.core.config import from_plain, known_only
from cardiotrace.core.contract import ITERATION
from cardiotrace.core.errors import CardioTraceError, InputError
from cardiotrace.io import write_json
from cardiotrace.learning.rl4seg.shapes import ShapeLimits
from cardiotrace.learning.training.folder import RunFolder


@dataclass(frozen=True)
class Iteration:
    """What came of an iteration; the manifest in its folder, written when it is over."""

    number: int
    """0 is the supervised training."""
    limits: ShapeLimits
    """Fitted in iteration 0."""
    answers: str = ""
    """What came of the answers of the policy before, in words."""
    temperature: float = 1.0
    """Of the reward network."""
    pairs: int = 0
    """Outlines that its reward network learned from, with those of all iterations before."""
    calibration_error: float | None = None
    """Of the reward network, on outlines of patients that it had not learned from; None where none were held out."""
    stopped: str = ""
    """Why its policy was not finished, in words; the last epoch before is kept, or the policy before where there is
    none."""


@dataclass(frozen=True)
class IterationFolder:
    """Names of the files of an iteration."""

    path: Path

    @classmethod
    def of(cls, run: RunFolder, number: int) -> "IterationFolder":
        """That of an iteration of a run."""
        return cls(run.path / f"iteration-{number}")

    @property
    def manifest(self) -> Path:
        """What came of it; there once it is over."""
        return self.path / "iteration.json"

    @property
    def reward_data(self) -> Path:
        """Outlines, and where they are wrong."""
        return self.path / "reward-data"

    @property
    def answers(self) -> Path:
        """What came of the answers of the policy before; written after both of the above and below."""
        return self.path / "answers.json"

    @property
    def pseudo_labels(self) -> Path:
        """Answers that were taken for right; not there where none were."""
        return self.path / "pseudo-labels"

    @property
    def reward(self) -> RunFolder:
        """The training of the reward network."""
        return RunFolder(self.path / "reward")

    @property
    def policy(self) -> RunFolder:
        """That of the policy; in iteration 0 the supervised training."""
        return RunFolder(self.path / "policy")

    @property
    def critic(self) -> Path:
        """Weights of the policy's critic."""
        return self.path / "critic.safetensors"

    def read(self) -> Iteration | None:
        """Its manifest; None where it is not over.

        Raises:
            InputError: it is damaged.
        """
        if not self.manifest.exists():
            return None
        try:
            values = ITERATION.read(json.loads(self.manifest.read_text()), where=self.manifest)
            return from_plain(Iteration, known_only(Iteration, values))
        except (OSError, ValueError, TypeError, KeyError, CardioTraceError) as error:
            raise InputError(
                f"is no manifest of an iteration: {error}", where=self.manifest, remedy="delete the folder of it."
            ) from None

    def finish(self, done: Iteration) -> None:
        """Write the manifest: the iteration is over.

        Raises:
            WorkError: it cannot be written.
        """
        write_json(self.manifest, ITERATION.stamp(asdict(done)))
