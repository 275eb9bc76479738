"""Measures with an ejection fraction that is not usable, a volume, and flags of every grade."""

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.flag import Flag, Grade


def quantity(
    value: float = 96.0, *, name: str = "left_ventricular_ejection_fraction", unit: str = "percent", flags=()
) -> Quantity:
    return Quantity(name, value, unit, Method.BIPLANE_DISKS, "A4C+A2C", (), flags=tuple(flags))


BAD = Flag(Grade.NOT_USABLE, "the left ventricle was lost in one frame")
MEASURES = Measures(
    "p",
    (quantity(flags=[BAD]), quantity(120.4, name="left_ventricular_end_diastolic_volume", unit="ml")),
    (Flag(Grade.NOTE, "a note"), BAD, Flag(Grade.LOOK_TWICE, "a doubt")),
)
