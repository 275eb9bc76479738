"""Weights of a network alone, as a file: written, read back whole, or as far as they fit."""

import logging
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from cardiotrace.core.errors import InputError
from cardiotrace.core.file import require_regular_file
from cardiotrace.core.text import some
from cardiotrace.io import write_bytes

LARGEST = 2**36
"""Bytes of weights that anything is done with."""
Weights = dict[str, torch.Tensor]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Differences:
    """What keeps weights from being those of a network; names of weights."""

    missing: tuple[str, ...]
    """The network has them, the file does not."""
    unknown: tuple[str, ...]
    """The file has them, the network does not."""
    reshaped: tuple[str, ...]
    """Both have them, in different shapes."""

    @classmethod
    def between(cls, network: torch.nn.Module, found: Weights) -> "Differences":
        """What a network wants, against what was found."""
        wanted = network.state_dict()
        shared = [name for name in wanted if name in found]
        return cls(
            tuple(name for name in wanted if name not in found),
            tuple(name for name in found if name not in wanted),
            tuple(name for name in shared if wanted[name].shape != found[name].shape),
        )

    def told(self) -> str:
        """In words; empty where there are none.

        Example:
            >>> Differences(("head.bias",), (), ("head.weight",)).told()
            '1 missing, such as head.bias; 1 of another shape, such as head.weight'
        """
        kinds = (("missing", self.missing), ("unknown", self.unknown), ("of another shape", self.reshaped))
        return "; ".join(f"{len(names)} {what}, such as {names[0]}" for what, names in kinds if names)


def follow(average: Weights, weights: Weights, *, decay: float, step: int) -> None:
    """Move a running average of weights towards those of a network, in place; whole numbers are taken over.

    Args:
        average: by name.
        weights: of the network, by the same names.
        decay: share of the average that stays, once it is old.
        step: steps that were taken before. Young averages forget faster, or the random first weights would stay in for
            long.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    # All at once: one by one, a GPU would get its work more slowly than it does it.
    moving = [key for key, value in weights.items() if value.is_floating_point()]
    torch._foreach_lerp_([average[key] for key in moving], [weights[key].detach() for key in moving], share)
    for key in weights.keys() - set(moving):
        average[key].copy_(weights[key])


def save_weights(weights: Weights, path: Path) -> None:
    """Write weights alone."""
    contiguous = {key: value.detach().cpu().contiguous() for key, value in weights.items()}
    write_bytes(path, safetensors.torch.save(contiguous))


def half_weights(path: Path) -> bytes:
    """A file of weights with its matrices and kernels in float16, half the size; `load_weights` reads it as any other.

    Vectors stay as they are: variances that batch norms have counted may lie beyond the range of float16.

    Raises:
        InputError: damaged.
    """
    found = {key: value.half() if _is_rounded(value) else value for key, value in _read(path).items()}
    content: bytes = safetensors.torch.save(found)
    return content


def _is_rounded(value: torch.Tensor) -> bool:
    return value.dtype == torch.float32 and value.ndim > 1 and bool(value.half().isfinite().all())


def load_weights(network: torch.nn.Module, path: Path) -> None:
    """Read weights written by `save_weights`, in place.

    Raises:
        InputError: damaged or of another architecture.
    """
    found = _read(path)
    require_same(network, found, where=path)
    network.load_state_dict(found)


def load_fitting_weights(network: torch.nn.Module, path: Path) -> str:
    """Take the weights of a file that have their name and shape in the network; the others stay as they were drawn.

    Returns:
        What was taken and what was left out, one sentence; empty where all of it fits.

    Raises:
        InputError: damaged, or nothing fits.
    """
    found = _read(path)
    differing = Differences.between(network, found)
    left_out = {*differing.unknown, *differing.reshaped}
    fitting = {name: value for name, value in found.items() if name not in left_out}
    if not fitting:
        raise InputError(f"none of its weights fits the network: {differing.told()}", where=path)
    network.load_state_dict(fitting, strict=False)
    if not differing.told():
        return ""
    drawn = [*differing.missing, *differing.reshaped]
    parts = [f"{len(fitting)} of {len(found)} weights were taken"]
    parts += [f"left out: {some(sorted(left_out))}"] if left_out else []
    parts += [f"drawn anew: {some(drawn)}"] if drawn else []
    _LOG.info("%s: %s", path, "; ".join(parts))
    return "; ".join(parts)


def require_same(network: torch.nn.Module, found: Weights, *, where: Path | None = None) -> None:
    """Refuse weights of another network, in one line.

    Raises:
        InputError: a weight is missing, unknown or of another shape.
    """
    if told := Differences.between(network, found).told():
        raise InputError(
            f"holds the weights of another architecture: {told}",
            where=where,
            remedy="take the run of the recipe's own architecture, or change architecture in the recipe.",
        )


def laid_out_like(value: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """The value with the memory layout and device of its weight, as it was before it was written."""
    if value.shape != reference.shape:
        return value.clone()
    return torch.empty_like(reference, dtype=value.dtype, requires_grad=False).copy_(value)


def _read(path: Path) -> Weights:
    require_regular_file(path)
    try:
        found: Weights = safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(f"these weights cannot be read: {error}", where=path) from None
    return found
