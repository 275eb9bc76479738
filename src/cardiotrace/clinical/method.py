"""By which method a quantity was found."""

from enum import StrEnum


class Method(StrEnum):
    """How a value came about; its text stands in `measures.json`.

    Example:
        >>> Method.BIPLANE_DISKS.is_biplane, Method("discs, one plane")  # as older files say
        (True, <Method.SINGLE_PLANE_DISKS: 'method of disks, single plane'>)
    """

    BIPLANE_DISKS = "biplane method of disks"
    SINGLE_PLANE_DISKS = "method of disks, single plane"
    AREA_LENGTH = "area-length, single plane"
    BIPLANE_AREA_LENGTH = "area-length, biplane"
    SUM_OF_SLICES = "sum of slices"
    SLICES_TO_PLANE = "slices to the mitral plane"
    """Of a short-axis stack, ended where long axes show the annulus."""
    CENTRELINE = "centreline"
    """Distances from the line midway between both outlines of the wall."""
    CONTOUR_LENGTH = "length of contours"
    TRACED = "traced"
    """Size of an outline in one plane."""
    TRACED_SLICE = "traced, one slice"
    """Size of an outline in a short axis of one slice."""
    ENDOCARDIAL_CONTOUR = "endocardial contour"
    """Length of the endocardium in a long axis, from hinge to hinge."""
    MIDWALL_CONTOUR = "mid-wall contour"
    """Length of the line half-way through the wall."""
    TRACKED = "tracked endocardium"
    """Length of the endocardium of end-diastole, followed through the film."""
    DISPLACEMENT = "displacement of the annulus"
    """Along the long axis of end-diastole."""
    BIPLANE_WALL = "biplane method of disks, epicardium minus endocardium"
    AREA_LENGTH_WALL = "area-length, short axis and length"
    TRUNCATED_ELLIPSOID = "truncated ellipsoid"
    STATED = "stated by the file"
    BEAT_LENGTH = "length of the beats"
    """Of a film, from one end-diastole to the next."""
    CALIBRATED = "calibrated to biplane"
    """What a biplane value is expected to be, from one plane and what it shows; learned on other patients."""
    FIELD_SHARE = "share of the field of view"
    UNKNOWN = ""

    @property
    def is_single_plane(self) -> bool:
        """Whether it makes a volume, or what follows from one, out of one plane alone."""
        return self in (Method.SINGLE_PLANE_DISKS, Method.AREA_LENGTH)

    @property
    def is_biplane(self) -> bool:
        """Whether it needs two planes."""
        return self in (Method.BIPLANE_DISKS, Method.BIPLANE_AREA_LENGTH)

    @property
    def words(self) -> str:
        """What tables call it."""
        return _WORDS.get(self, self.value)

    @property
    def note(self) -> str:
        """How it works, in a sentence or two; "" where its name says it."""
        return _NOTES.get(self, "")

    @classmethod
    def _missing_(cls, value: object) -> "Method | None":
        """What files of version 1 and 2 call them."""
        return _FORMER.get(str(value))


def present_words(part: str) -> str:
    """A method, or a part of its words, as it is written now.

    Example:
        >>> present_words("discs, biplane"), present_words("discs"), present_words("area-length")
        ('biplane method of disks', 'disks', 'area-length')
    """
    return (
        _FORMER[part].value if part in _FORMER else part.replace("discs", "disks").replace("one plane", "single plane")
    )


_WORDS = {
    Method.BIPLANE_AREA_LENGTH: "biplane area-length",
    Method.SUM_OF_SLICES: "slices",
}
_AREA_LENGTH = "Area-length: V = 8 A² / (3 π L); biplane 8 A₁ A₂ / (3 π L), L the shorter length."
_NOTES = {
    Method.CALIBRATED: "Calibrated: what experts would state from two planes, as it is expected from one plane and "
    "what it shows; learned on other patients, and never the measured value.",
    Method.BIPLANE_DISKS: "Biplane: 20 elliptic disks between mitral annulus and apex, as high as the longer of the "
    "two long axes at the same instant.",
    Method.SINGLE_PLANE_DISKS: "Disks: 20 round disks across one view's long axis. A single plane assumes a round "
    "ventricle.",
    Method.AREA_LENGTH: _AREA_LENGTH,
    Method.BIPLANE_AREA_LENGTH: _AREA_LENGTH,
    Method.ENDOCARDIAL_CONTOUR: "Strain: change of the endocardium's length from hinge to hinge since end-diastole, "
    "percent; negative is shortening.",
    Method.MIDWALL_CONTOUR: "Mid-wall strain: the same of the line half-way through the wall.",
    Method.TRACKED: "Tracked strain: the same of the endocardium of end-diastole, followed from frame to frame by the "
    "pattern in the wall.",
    Method.DISPLACEMENT: "Excursion: way of the hinges along the long axis from end-diastole to end-systole; "
    "septal and lateral by the right ventricle where it is labelled, else by the display convention.",
    Method.BIPLANE_WALL: "Mass by planes: 1.05 g/ml times biplane disks of the epicardium less those of the "
    "endocardium.",
    Method.AREA_LENGTH_WALL: "Mass by area and length: 1.05 (5/6 A₁ (L + t) - 5/6 A₂ L), A₁ and A₂ inside epicardium "
    "and endocardium of the short axis.",
    Method.TRUNCATED_ELLIPSOID: "Truncated ellipsoid: 1.05 times the shell between two, of that short axis and length.",
    Method.SUM_OF_SLICES: "Slices: voxels times their size, each slice whole; papillary muscles as they are labelled; "
    "mass at 1.05 g/ml.",
    Method.SLICES_TO_PLANE: "Slices to the mitral plane: as slices, but cut off, or gone on with, where long axes show "
    "the mitral annulus at that instant.",
    Method.CENTRELINE: "Centreline: thickness of the wall from both sides of the line midway between its outlines, in "
    "slices that show it closed.",
    Method.CONTOUR_LENGTH: "Contours: 100 (L - L0) / L0 of their lengths in all closed slices; shortening is negative.",
}
_FORMER = {
    "discs, biplane": Method.BIPLANE_DISKS,
    "discs, one plane": Method.SINGLE_PLANE_DISKS,
    "discs, single plane": Method.SINGLE_PLANE_DISKS,
    "area-length, one plane": Method.AREA_LENGTH,
}
