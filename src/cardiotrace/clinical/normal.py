"""Normal ranges of adults, shown beside a value and never used to alter it."""

from dataclasses import dataclass

from cardiotrace.clinical.quantity import Quantity

ASE_2015 = "Lang et al. 2015, J Am Soc Echocardiogr 28:1 (ASE/EACVI)"


@dataclass(frozen=True)
class NormalRange:
    """Limits between which a quantity of a healthy adult lies.

    Example:
        >>> NormalRange("left_ventricular_ejection_fraction_percent", "M", 52.0, 72.0, ASE_2015).place(45.0)
        'below'
    """

    key: str
    """Name and unit of the quantity."""
    sex: str
    """"F" or "M"."""
    low: float
    high: float
    source: str

    def place(self, value: float) -> str:
        """Where a value lies: "below", "within" or "above"."""
        return "below" if value < self.low else "above" if value > self.high else "within"


NORMAL_RANGES = tuple(
    NormalRange(key, sex, low, high, ASE_2015)
    for key, sex, low, high in (
        ("left_ventricular_ejection_fraction_percent", "M", 52.0, 72.0),
        ("left_ventricular_ejection_fraction_percent", "F", 54.0, 74.0),
        ("left_ventricular_end_diastolic_volume_ml", "M", 62.0, 150.0),
        ("left_ventricular_end_diastolic_volume_index_ml_per_m2", "M", 34.0, 74.0),
        ("left_ventricular_end_diastolic_volume_index_ml_per_m2", "F", 29.0, 61.0),
        ("left_atrial_volume_index_ml_per_m2", "M", 16.0, 34.0),
        ("left_atrial_volume_index_ml_per_m2", "F", 16.0, 34.0),
    )
)
"""2-D echo, biplane: only those ranges whose source could be read; women's absolute volumes are not among them."""


def ranges_apply(quantity: Quantity) -> bool:
    """Whether the normal ranges, which are of biplane echo, apply to a value: to one of a single plane they do not.

    Example:
        >>> from cardiotrace.clinical.method import Method
        >>> name = "left_ventricular_ejection_fraction"
        >>> ranges_apply(Quantity(name, 60.0, "percent", Method.BIPLANE_DISKS, "A4C+A2C", ()))
        True
        >>> ranges_apply(Quantity(name, 60.0, "percent", Method.SINGLE_PLANE_DISKS, "A4C", ()))
        False
    """
    return quantity.method.is_biplane and all(view.startswith("A") for view in quantity.view.split("+"))


def normal_ranges(key: str, sex: str | None) -> tuple[NormalRange, ...]:
    """Ranges that apply to a quantity in a person of this sex; where it is unknown, those of both.

    Args:
        key: name and unit, such as "left_ventricular_ejection_fraction_percent".
        sex: "F", "M", or None where unknown.

    Returns:
        One range, two where the sex is unknown, or none; where only one sex's is known, none without the sex.

    Example:
        >>> [(normal.low, normal.high) for normal in normal_ranges("left_ventricular_ejection_fraction_percent", "F")]
        [(54.0, 74.0)]
        >>> len(normal_ranges("left_ventricular_ejection_fraction_percent", None))
        2
    """
    known = tuple(normal for normal in NORMAL_RANGES if normal.key == key)
    if sex is None:
        # One sex's range alone would be taken for everybody's.
        return known if len(known) == 2 else ()
    return tuple(normal for normal in known if normal.sex == sex)


def place_in_range(key: str, value: float, sex: str | None) -> str | None:
    """Where a value lies against the normal range: "below", "within", "above"; None where no range tells.

    Example:
        >>> place_in_range("left_ventricular_ejection_fraction_percent", 53.0, "F")
        'below'
        >>> place_in_range("left_ventricular_ejection_fraction_percent", 53.0, None) is None  # depends on the sex
        True
    """
    places = {normal.place(value) for normal in normal_ranges(key, sex)}
    return places.pop() if len(places) == 1 else None


def body_surface_area_m2(height_cm: float, weight_kg: float) -> float:
    """Body surface area: BSA = sqrt(height weight / 3600).

    Args:
        height_cm: height, cm, > 0.
        weight_kg: weight, kg, > 0.

    Returns:
        Area, m2.

    Example:
        >>> round(body_surface_area_m2(180.0, 80.0), 2)
        2.0

    Source:
        Mosteller 1987, N Engl J Med 317:1098.
    """
    return float((height_cm * weight_kg / 3600) ** 0.5)
