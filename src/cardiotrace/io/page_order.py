"""How the pages of a TIFF follow each other, as the programs that wrote it say in its description."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError

_SPLIT = "save each of them as a TIFF of its own."


@dataclass(frozen=True)
class PageOrder:
    """Axes along which pages follow each other, the slowest first: none, one, or time and depth."""

    lengths: tuple[int, ...] = ()
    letters: str = ""
    """"T", "Z", or "?" where it is not said which; one for each length."""
    is_block: bool = False
    """All images stand behind one page."""

    @property
    def count(self) -> int:
        """Number of images."""
        return math.prod(self.lengths)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes after x and y: (n,), or (depth, time)."""
        return self.lengths if self.letters == "ZT" else self.lengths[::-1]

    @property
    def third_is_time(self) -> bool:
        """Pages are frames, unless the file says that they are slices."""
        return self.letters != "Z"

    def arranged(self, pages: NDArray[Any]) -> NDArray[Any]:
        """Pages (n, ...) along their axes, time first."""
        pages = pages.reshape(self.lengths + pages.shape[1:])
        return np.ascontiguousarray(pages.swapaxes(0, 1)) if self.letters == "ZT" else pages


def page_order(pages: Sequence[Any], path: Path) -> PageOrder:
    """The order of the pages of a TIFF: one after another, unless a description says more.

    Args:
        pages: of one shape.
        path: the file, for messages.

    Raises:
        InputError: they are several series, or along other axes than time and depth.
    """
    axes = _spatial({letter: length for letter, length in _said(pages, path).items() if length > 1})
    if not set(axes) <= {"T", "Z", "?", "Q"} or len(axes) > 2:
        listed = ", ".join(f"{length} along {letter}" for letter, length in axes.items())
        raise InputError(f"holds images along other axes than time and depth: {listed}", where=path, remedy=_SPLIT)
    count = math.prod(axes.values())
    is_block = len(pages) == 1 < count
    if count == len(pages) or is_block:
        return PageOrder(tuple(axes.values()), _letters(axes), is_block=is_block)
    if count > 1:
        raise InputError(
            f"speaks of {count} images and holds {len(pages)}", where=path, remedy="it is cut short: export it again."
        )
    return PageOrder((len(pages),), "?")


def _said(pages: Sequence[Any], path: Path) -> dict[str, int]:
    """Lengths of the axes that a description speaks of, the slowest first; empty where it says nothing."""
    description = str(pages[0].description or "")
    if description.startswith("ImageJ="):
        return _imagej(description)
    return _ome(description, path) if "<OME" in description[:2000] else _shaped(pages, path)


def _spatial(axes: dict[str, int]) -> dict[str, int]:
    """The axes, without calling them channels where nobody says what they are, as tifffile does."""
    return {"?": axes["C"]} if list(axes) == ["C"] else axes


def _letters(axes: Mapping[str, int]) -> str:
    letters = "".join(axes)
    return letters if letters in ("", "T", "Z", "ZT") else ("TZ" if len(letters) == 2 else "?")


def _imagej(description: str) -> dict[str, int]:
    facts = {key: int(number) for key, number in re.findall(r"^(\w+)=(\d{1,9})\s*$", description, re.MULTILINE)}
    axes = {"T": facts.get("frames", 1), "Z": facts.get("slices", 1), "C": facts.get("channels", 1)}
    if math.prod(axes.values()) == 1:
        return {"?": facts.get("images", 1)}
    # ImageJ calls the images of any stack slices, also those of a video.
    return {"?": axes["Z"]} if axes["T"] == axes["C"] == 1 else axes


def _ome(description: str, path: Path) -> dict[str, int]:
    pixels = re.findall(r"<(?:\w+:)?Pixels\b([^>]*)>", description)
    if len(pixels) > 1:
        raise InputError(f"holds {len(pixels)} images (OME)", where=path, remedy=_SPLIT)
    facts = dict(re.findall(r'(\w+)="([^"]*)"', pixels[0])) if pixels else {}
    samples = re.search(r'SamplesPerPixel="(\d{1,4})"', description)
    lengths = {letter: int(facts.get(f"Size{letter}", "1")) for letter in "TZC"}
    # Red, green and blue of one pixel are called channels too, and have no pages of their own.
    if samples is not None and int(samples[1]) == lengths["C"]:
        lengths["C"] = 1
    # OME names the fastest axis first.
    slowest_first = [letter for letter in reversed(facts.get("DimensionOrder", "XYCZT")) if letter in lengths]
    return {letter: lengths[letter] for letter in slowest_first}


def _shaped(pages: Sequence[Any], path: Path) -> dict[str, int]:
    """Of what tifffile wrote: the first page of each array holds the array's shape."""
    said = [facts for page in pages if (facts := _shape_of(page)) is not None]
    if len(said) > 1 and any(len(shape) > len(page.shape) for (shape, _), page in zip(said, pages, strict=False)):
        listed = " and ".join(" x ".join(map(str, shape)) for shape, _ in said[:4])
        raise InputError(f"holds {len(said)} arrays: {listed}", where=path, remedy=_SPLIT)
    if len(said) != 1:
        return {}
    shape, letters = said[0]
    own = tuple(pages[0].shape)
    if shape[-len(own) :] != own:
        return {}
    return _lettered(shape[: len(shape) - len(own)], letters if len(letters) == len(shape) else "")


def _lettered(lengths: Sequence[int], letters: str) -> dict[str, int]:
    """Lengths by the letters of their axes; "?" and "Q" for the first two without one, "#" for any more."""
    axes: dict[str, int] = {}
    for index, length in enumerate(lengths):
        known = letters[index : index + 1]
        letter = known if known and known in "TZC" else "?Q#"[min(len(axes), 2)]
        if length > 1:
            axes[letter] = length
    return axes


def _shape_of(page: Any) -> tuple[tuple[int, ...], str] | None:
    description = str(page.description or "")
    if not description.startswith('{"shape":'):
        return None
    try:
        facts = json.loads(description)
        return tuple(int(length) for length in facts["shape"]), str(facts.get("axes", ""))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
