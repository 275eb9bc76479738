"""Which structures the references of samples hold, as classes of a network."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from cardiotrace.datasets.packed import PackedSample


def known_classes(
    samples: Sequence[PackedSample], class_names: Sequence[str], device: torch.device
) -> Bool[Tensor, "batch classes"] | None:
    """Which classes each sample's reference tells of, background among them; None where every sample tells of all.

    Args:
        samples: of a batch.
        class_names: foreground classes, in order of their index from 1.
        device: of the batch.

    Example:
        >>> who = {"patient": "a"}
        >>> ring = PackedSample("a", who, "ED", "SAX", 0, 0, 0.0, 255.0, structures=("MYO",))
        >>> known_classes([ring], ["RV", "MYO", "LV"], torch.device("cpu")).tolist()
        [[True, False, True, False]]
    """
    if all(sample.is_complete for sample in samples):
        return None
    rows = [[True, *(sample.tells_of(name) for name in class_names)] for sample in samples]
    return torch.tensor(rows, device=device)
