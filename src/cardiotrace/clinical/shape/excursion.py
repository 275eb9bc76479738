"""How far the valve planes move towards the apex from end-diastole to end-systole: MAPSE and TAPSE."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.annulus import annulus_by_chord
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.clinical.strain.walled_view import WalledView
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Phase, Structure, View

MITRAL = "mitral_annular_plane_systolic_excursion"
SEPTAL, LATERAL = f"{MITRAL}_septal", f"{MITRAL}_lateral"
TRICUSPID = "tricuspid_annular_plane_systolic_excursion"

Vector = Float[np.ndarray, "2"]


def excursions(view: WalledView) -> tuple[list[Quantity], tuple[Flag, ...]]:
    """Displacement of the hinges along the long axis of end-diastole, mm, and why where there is none.

    The mean of both hinges in every view; in four chambers septal and lateral one apart where it is known which is
    which, and that of the tricuspid valve where a right ventricle is labelled. The image must stand still against the
    apex, as a probe held over it does: what the whole heart moves, the hinges seem to move.

    Args:
        view: with its wall, in one beat.

    Source:
        Mitchell et al. 2019, J Am Soc Echocardiogr 32:1 (tricuspid); Hu et al. 2013, Eur Heart J Cardiovasc Imaging
        14:205 (mitral).
    """
    if len(view.walls) < 2 or not view.measured.is_scaled:
        return [], ()
    if not _share_place(view):
        text = "end-diastole and end-systole lie in two images of other places: no excursion of the valve planes"
        return [], (flag("excursion-other-place", text).of(view.name),)
    first, last = (view.walls[phase].endocardium for phase in (Phase.ED, Phase.ES))
    axis = first.apex - first.hinges.mean(axis=0)
    up = axis / np.linalg.norm(axis)
    moved = (last.hinges - first.hinges) @ up
    values = {MITRAL: float(moved.mean())}
    if view.measured.view is View.FOUR_CHAMBER and view.sides is not None:
        septal = 0 if view.sides.left.name == "inferoseptal" else 1
        values |= {SEPTAL: float(moved[septal]), LATERAL: float(moved[1 - septal])}
    quantities = [_quantity(view, name, value) for name, value in values.items()]
    tricuspid = _tricuspid(view, up)
    return [*quantities, *([] if tricuspid is None else [_quantity(view, TRICUSPID, tricuspid)])], ()


def _quantity(view: WalledView, name: str, value: float) -> Quantity:
    doubts = [*view.flags("strain"), *view.flags("size")]
    if name == TRICUSPID:
        doubts = [*view.measured.right_flags, *view.flags("size")]
    rule = RULES["excursion-extreme"]
    if rule.breaks(value):
        text = f"a valve plane that moves {value:.0f} mm towards the apex is outside {rule.low:g} to {rule.high:g} mm"
        doubts.append(flag("excursion-extreme", text, about="RV" if name == TRICUSPID else "LV").of(view.name))
    refs = view.measured.key_frames.refs(Phase.ED, Phase.ES)
    return Quantity(name, value, "mm", Method.DISPLACEMENT, view.name, refs, flags=tuple(dict.fromkeys(doubts)))


def _share_place(view: WalledView) -> bool:
    """Whether both key frames are of one image, or of images whose pixels lie in the same places."""
    first, last = (view.measured.cines[phase].labels for phase in (Phase.ED, Phase.ES))
    same = first.array.shape[1:] == last.array.shape[1:]
    return first is last or (same and np.allclose(first.geometry.affine, last.geometry.affine))


def _tricuspid(view: WalledView, up: Vector) -> float | None:
    """Of the hinge away from the septum, along the axis of the left ventricle; None where no such valve is shown."""
    if view.measured.view is not View.FOUR_CHAMBER:
        return None
    places: Mapping[Phase, Vector | None] = {phase: _lateral_hinge(view, phase, up) for phase in (Phase.ED, Phase.ES)}
    first, last = places[Phase.ED], places[Phase.ES]
    return None if first is None or last is None else float((last - first) @ up)


def _lateral_hinge(view: WalledView, phase: Phase, up: Vector) -> Vector | None:
    """The end of the right ventricle's straight base that lies farther from the left ventricle."""
    cine = view.measured.cines[phase]
    frame = view.measured.key_frames.refs(phase)[0].frame
    ring = cine.outline(Structure.RV, frame)
    if len(ring) < 8:
        return None
    base = annulus_by_chord(ring, (float(-up[0]), float(-up[1])))
    if base is None:
        return None
    foot = view.walls[phase].endocardium.hinges.mean(axis=0)
    return np.asarray(base[int(np.linalg.norm(base - foot, axis=1).argmax())])
