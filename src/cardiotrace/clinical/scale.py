"""In which unit lengths on an image are, and what they are in the unit that is reported."""

from dataclasses import dataclass

from cardiotrace.core.geometry import Geometry


@dataclass(frozen=True)
class Scale:
    """The size of an image's pixels: lengths on it are in mm, or in pixels where that size is not known.

    Ratios, such as the ejection fraction, hold in either unit; what is reported in cm, cm2 or ml is None without it.

    Example:
        >>> Scale((0.5, 0.5), is_known=True).area_cm2(2500.0), Scale((1.0, 1.0), is_known=False).area_cm2(2500.0)
        (25.0, None)
    """

    pixel: tuple[float, float]
    """(height, width) of a pixel; (1, 1) where it is not known."""
    is_known: bool

    @classmethod
    def of(cls, geometry: Geometry) -> "Scale":
        """The scale of an image's planes."""
        return cls(geometry.pixel_mm, geometry.spacing_mm is not None)

    @property
    def unit(self) -> str:
        """Unit of lengths on the image: "mm" or "px"."""
        return "mm" if self.is_known else "px"

    @property
    def pixel_area(self) -> float:
        """Area of one pixel, in squares of the unit."""
        return self.pixel[0] * self.pixel[1]

    def length_cm(self, length: float) -> float | None:
        """A length on the image, cm."""
        return length / 10 if self.is_known else None

    def area_cm2(self, area: float) -> float | None:
        """An area on the image, cm2."""
        return area / 100 if self.is_known else None

    def volume_ml(self, volume: float) -> float | None:
        """A volume in cubes of the unit, ml."""
        return volume / 1000 if self.is_known else None

    def area_to_report(self, area: float) -> tuple[float, str]:
        """An area with the unit that it is reported in: "cm2", or "px2" where the size of pixels is not known."""
        return (area / 100, "cm2") if self.is_known else (area, "px2")


UNKNOWN = Scale((1.0, 1.0), is_known=False)
"""Of an image whose pixel size is not known."""
