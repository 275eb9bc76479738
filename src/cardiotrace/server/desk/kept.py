"""Edits as the database keeps them: plain values, with the labels of planes as blobs."""

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.clinical.editing.edits import Address, Change, Edit, EditedPlane, Edits, Kind, Said, Value
from cardiotrace.clinical.editing.gesture import Verdict
from cardiotrace.core.exam import Landmarks
from cardiotrace.core.label import LabelMap
from cardiotrace.server.store.blobs import Blob, BlobStore


class Keeper:
    """Writes edits as plain values, and reads them again.

    Args:
        blobs: where labels of planes lie; those that were written are in `written`.
    """

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self.written: dict[str, Blob] = {}

    def plain_change(self, change: Change, automatic: Mapping[str, LabelMap]) -> list[dict[str, Any]]:
        """A change: each address with what was and what is.

        Args:
            change: to be written.
            automatic: labels as they were found; those of planes that were, or become, automatic are kept as well,
                since another analysis will replace them.
        """
        return [self._plain_item(change, address, automatic) for address in change.after]

    def _plain_item(self, change: Change, place: Address, automatic: Mapping[str, LabelMap]) -> dict[str, Any]:
        before, after = change.before[place], change.after[place]
        item: dict[str, Any] = {"address": plain_address(place)}
        item |= {"before": self._plain(before), "after": self._plain(after)}
        if place.kind is Kind.PLANE and (before is None or after is None):
            item["automatic"] = self._kept_plane(automatic[place.image].array[place.frame, place.slice])
        return item

    def _kept_plane(self, labels: NDArray[np.uint8]) -> str:
        blob = self._blobs.put(zlib.compress(np.ascontiguousarray(labels).tobytes(), 1))
        self.written[blob.sha256] = blob
        return blob.sha256

    def change(self, plain: Iterable[Mapping[str, Any]], shapes: Mapping[str, tuple[int, int]]) -> Change:
        """What `plain_change` wrote.

        Args:
            plain: the change.
            shapes: height and width of the planes of each image.
        """
        items = list(plain)
        both = [
            {address(item["address"]): self._edit(item[side], address(item["address"]), shapes) for item in items}
            for side in ("before", "after")
        ]
        return Change(*both)

    def edits(self, changes: Iterable[Iterable[Mapping[str, Any]]], shapes: Mapping[str, tuple[int, int]]) -> Edits:
        """What stands once some changes were made, the last value of each address."""
        last: dict[Address, Mapping[str, Any] | None] = {}
        for change in changes:
            last.update({address(item["address"]): item["after"] for item in change})
        edits = {place: self._edit(plain, place, shapes) for place, plain in last.items()}
        return Edits({place: edit for place, edit in edits.items() if edit is not None})

    def _plain(self, edit: Edit | None) -> dict[str, Any] | None:
        return None if edit is None else {"value": self._plain_value(edit.value), "by": edit.by, "time": edit.time}

    def _plain_value(self, value: Value) -> Any:
        if isinstance(value, EditedPlane):
            contours = {name: points.tolist() for name, points in value.contours.items()}
            return {"labels": self._kept_plane(value.labels), "contours": contours}
        if isinstance(value, Landmarks):
            return {"apex": value.apex, "annulus": value.annulus}
        if isinstance(value, Said):
            return {"verdict": value.verdict.value, "reason": value.reason}
        return value

    def _edit(
        self, plain: Mapping[str, Any] | None, place: Address, shapes: Mapping[str, tuple[int, int]]
    ) -> Edit | None:
        if plain is None:
            return None
        return Edit(self._value(plain["value"], place, shapes), plain["by"], plain["time"])

    def _value(self, plain: Any, place: Address, shapes: Mapping[str, tuple[int, int]]) -> Value:
        if place.kind is Kind.PLANE:
            labels = self.plane(plain["labels"], shapes[place.image])
            return EditedPlane(labels, {name: np.array(points) for name, points in plain["contours"].items()})
        if place.kind is Kind.LANDMARKS:
            apex, annulus = plain["apex"], plain["annulus"]
            corners = None if annulus is None else (_pair(annulus[0]), _pair(annulus[1]))
            return Landmarks(None if apex is None else _pair(apex), corners)
        if place.kind in (Kind.VERDICT, Kind.FLAG):
            return Said(Verdict(plain["verdict"]), plain["reason"])
        return int(plain)

    def plane(self, sha256: str, shape: tuple[int, int]) -> NDArray[np.uint8]:
        """Labels of one plane."""
        return np.frombuffer(zlib.decompress(self._blobs.read(sha256)), np.uint8).reshape(shape)


def plain_address(place: Address) -> dict[str, Any]:
    """An address as JSON holds it."""
    return {**place._asdict(), "kind": place.kind.value}


def address(plain: Mapping[str, Any]) -> Address:
    """What `plain_address` wrote."""
    return Address(Kind(plain["kind"]), plain["image"], plain["frame"], plain["slice"], plain["name"])


def _pair(point: Any) -> tuple[float, float]:
    return float(point[0]), float(point[1])
