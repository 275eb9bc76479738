"""What the heart pumps in a minute."""

from dataclasses import replace

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import doubting, flag

_ML_PER_L = 1000


def cardiac_output(stroke: Quantity, rate: Quantity) -> Quantity:
    """Cardiac output: CO = SV HR / 1000.

    Args:
        stroke: stroke volume, ml.
        rate: heart rate, beats a minute; a note says where it was measured on the film.

    Returns:
        The output, l/min, with the flags of the stroke volume.

    Example:
        >>> stroke = Quantity("left_ventricular_stroke_volume", 70.0, "ml", Method.BIPLANE_DISKS, "A4C+A2C", ())
        >>> rate = Quantity("heart_rate", 60.0, "bpm", Method.STATED, "A4C", ())
        >>> round(cardiac_output(stroke, rate).value, 3)
        4.2
    """
    name, value = "left_ventricular_cardiac_output", stroke.value * rate.value / _ML_PER_L
    flags = stroke.flags
    if rate.method is not Method.STATED:
        text = f"the cardiac output rests on a heart rate of {rate.value:.0f} /min, measured on the film"
        flags = (*flags, *doubting([flag("rate-measured", text)], "output"))
    return replace(stroke, name=name, value=value, unit="l/min", flags=flags, by_beat=(), interval=None, intervals=())


def cardiac_index(output: Quantity, area_m2: float) -> Quantity:
    """Cardiac output per square metre of body surface, l/min/m2."""
    return replace(output, name="left_ventricular_cardiac_index", value=output.value / area_m2, unit="l/min/m2")
