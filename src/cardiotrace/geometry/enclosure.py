"""Which cavity the myocardium encloses: only the left ventricle's can be, whatever the labels say."""

from functools import partial

import numpy as np
from jaxtyping import Bool, Int, UInt8

from cardiotrace.core.findings import ImageFindings
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.label import SCHEMES, LabelMap, LabelScheme
from cardiotrace.core.terms import Structure, View
from cardiotrace.geometry.box import bounding_box, grown
from cardiotrace.geometry.component import bordering, fill_holes

CONTACT_FACTOR = 1.5
"""How many times as much of the myocardium another cavity must touch before it is taken for the left ventricle: the
atrium touches at most 0.09 times as much in 898 masks of CAMUS, the right ventricle 0.42 in a long axis of M&Ms-2."""
_CAVITIES = (Structure.LV, Structure.RV, Structure.LA, Structure.RA)


def enclosed_by_myocardium(labels: LabelMap, view: View, findings: ImageFindings | None = None) -> dict[Structure, int]:
    """How much of each cavity the myocardium encloses, in pixels summed over planes.

    In a short axis it is a ring, and what lies inside counts; in a long axis it is open at the base, and what touches
    it counts.

    Args:
        labels: of any number of frames and slices.
        view: the plane; a stack of unknown view counts as a short axis, a single plane as a long one.
        findings: what is known of the labels.

    Returns:
        Each labelled cavity's count; empty where the scheme has no myocardium, or no left ventricle.
    """
    scheme = labels.scheme
    cavities = [structure for structure in _CAVITIES if structure in scheme.values]
    if Structure.MYO not in scheme.values or Structure.LV not in cavities:
        return {}
    is_short_axis, value = _is_short_axis(labels.array.shape[1], view), scheme.values[Structure.MYO]
    findings = ImageFindings.none(labels) if findings is None else findings
    planes = labels.array.reshape(-1, *labels.array.shape[2:])
    counts = np.zeros(256, np.int64)
    for found, plane in zip(findings.planes, planes, strict=True):
        ask = partial(_enclosed, plane, value, is_short_axis=is_short_axis)
        counts += found.get("enclosed", ask, given=is_short_axis)
    return {structure: int(counts[scheme.values[structure]]) for structure in cavities}


def _enclosed(plane: UInt8[np.ndarray, "height width"], value: int, *, is_short_axis: bool) -> Int[np.ndarray, "256"]:
    """Pixels of each value that the myocardium encloses in one plane.

    Of all values at once: which of them is a cavity, another scheme would say otherwise.
    """
    wall = plane == value
    box = grown(bounding_box(wall), plane.shape)
    within = _inside if is_short_axis else bordering
    return np.bincount(plane[box][within(wall[box])], minlength=256)


def exchanged_cavity(labels: LabelMap, view: View, findings: ImageFindings | None = None) -> Structure | None:
    """The cavity that the myocardium encloses in place of the left ventricle; None where the order is sound.

    Example:
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> from cardiotrace.core.label import ACDC, MNMS
        >>> plane = np.zeros((1, 1, 9, 9), np.uint8)
        >>> plane[..., 2:7, 2:7], plane[..., 3:6, 3:6] = 2, 3
        >>> exchanged_cavity(LabelMap(plane, ACDC, NO_GEOMETRY), View.SAX)
        >>> exchanged_cavity(LabelMap(plane, MNMS, NO_GEOMETRY), View.SAX)
        <Structure.RV: 'RV'>
    """
    counts = enclosed_by_myocardium(labels, view, findings)
    if not any(counts.values()):
        return None
    inner = max(counts, key=lambda structure: counts[structure])
    # Inside a ring lies one cavity, so that the larger count decides; an open wall is touched by its neighbours too.
    factor = 1.0 if _is_short_axis(labels.array.shape[1], view) else CONTACT_FACTOR
    return inner if inner is not Structure.LV and counts[inner] > factor * counts[Structure.LV] else None


def fitting_schemes(array: UInt8[np.ndarray, "time depth height width"], view: View) -> tuple[str, ...]:
    """Names of the known schemes that the values of a label file, its view and the anatomy allow.

    Args:
        array: the values.
        view: the plane.
    """
    values = set(np.unique(array).tolist()) - {0}
    is_short_axis = _is_short_axis(array.shape[1], view)
    return tuple(
        scheme.name
        for scheme in SCHEMES.values()
        if values
        and values <= set(scheme.values.values())
        and _is_shown(scheme, view, is_short_axis=is_short_axis)
        and exchanged_cavity(LabelMap(array, scheme, NO_GEOMETRY), view) is None
    )


def order_doubt(labels: LabelMap, view: View, findings: ImageFindings | None = None) -> str | None:
    """In words, where the values of labels must mean something else than their scheme says; None where all is well."""
    inner = exchanged_cavity(labels, view, findings)
    if inner is None:
        return None
    same = [
        name
        for name in fitting_schemes(labels.array, view)
        if SCHEMES[name].values.keys() == labels.scheme.values.keys()
    ]
    question = f": are these {' or '.join(same)} labels?" if same else ""
    return f"the myocardium encloses what is labelled {inner}, not LV{question}"


def _is_shown(scheme: LabelScheme, view: View, *, is_short_axis: bool) -> bool:
    """Whether the view can show the structures of a scheme: a short axis has no atrium, a heart no vessels."""
    is_retina = Structure.VESSEL in scheme.values
    has_atrium = Structure.LA in scheme.values
    return is_retina == (view is View.FUNDUS) and not (has_atrium and is_short_axis)


def _is_short_axis(depth: int, view: View) -> bool:
    return view is View.SAX or (not view.is_long_axis and depth > 1)


def _inside(wall: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    inside: Bool[np.ndarray, "height width"] = fill_holes(wall) & ~wall
    return inside
