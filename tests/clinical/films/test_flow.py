"""Rates, times and atrial strain against the heart cycle they were made from."""

from types import SimpleNamespace

import numpy as np
import pytest

from cardiotrace.clinical.curve import Curve
from cardiotrace.clinical.films.film import Film
from cardiotrace.clinical.films.flow import atrium_quantities, flow_flags, flow_quantities
from cardiotrace.clinical.films.output import cardiac_index, cardiac_output
from cardiotrace.clinical.films.rhythm import heart_rate, rhythm_flags
from cardiotrace.clinical.key_frames import image_beats
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Acquisition, Image
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.core.terms import Modality, View
from cardiotrace.phantoms.heart.heart import Heart
from tests.clinical.beats.curves import Known
from tests.clinical.ventricle import Ventricle


def film_of(
    known: Known, *, modality: Modality = Modality.US, acquisition: Acquisition | None = None, times: bool = True
) -> Film:
    """A film of a heart whose volumes are known, without images."""
    sizes = known.volumes_ml
    times_ms = known.times_ms if times else None
    frames = np.broadcast_to(np.uint8(0), (len(sizes), 1, 2, 2))
    view = View.FOUR_CHAMBER if modality is Modality.US else View.SAX
    image = Image(frames, NO_GEOMETRY, times_ms, view, modality=modality, acquisition=acquisition or Acquisition())
    source = SimpleNamespace(image=ExamImage("film", image), sizes=sizes, odd=sizes < 0, name="film")
    stamps = None if times_ms is None else tuple(times_ms.tolist())
    curve = Curve("film", image.view_name, stamps, {"left_ventricular_volume_ml": tuple(sizes.tolist())})
    return Film(source, curve, image_beats(source))


def true_rates(heart: Heart) -> dict[str, float]:
    """By finite differences on a fine grid."""
    times = np.linspace(0, heart.cycle.duration_ms, 20001)
    stroke = heart.end_diastolic_ml - heart.end_systolic_ml
    volumes = heart.end_systolic_ml + heart.cycle.filling(times[:-1]) * stroke
    rates = 1000 * np.diff(volumes) / np.diff(times[:-1])[0]
    systole = heart.cycle.end_systole_ms
    late = times[:-2] > systole
    regained = times[:-1][(times[:-1] > systole) & (volumes >= heart.end_systolic_ml + 0.8 * stroke)][0]
    return {
        "left_ventricular_peak_ejection_rate": -rates[~late].min(),
        "left_ventricular_peak_filling_rate": rates[late].max(),
        "left_ventricular_time_to_peak_filling": times[:-2][late][rates[late].argmax()] - systole,
        "left_ventricular_diastolic_volume_recovery": 100 * (regained - systole) / (heart.cycle.duration_ms - systole),
    }


@pytest.mark.parametrize("heart", [Heart(heart_rate_bpm=60), Heart(ejection_fraction_percent=30, heart_rate_bpm=80)])
@pytest.mark.parametrize("modality", [Modality.US, Modality.MR])
def test_rates_are_those_of_the_cycle(heart: Heart, modality: Modality) -> None:
    known = Known(heart, rate_hz=50.0, beats=1 if modality is Modality.MR else 2.1)
    found = {item.name: item for item in flow_quantities(film_of(known, modality=modality))}
    for name, true in true_rates(heart).items():
        is_time = found[name].unit in ("ms", "percent")
        allowed = {"abs": 35.0 if found[name].unit == "ms" else 7.0} if is_time else {"rel": 0.05}
        assert found[name].value == pytest.approx(true, **allowed), name
    rate = found["left_ventricular_peak_filling_rate"]
    relative = found["left_ventricular_relative_peak_filling_rate"]
    assert relative.value == pytest.approx(rate.value / heart.end_diastolic_ml, rel=0.03)
    assert rate.method is (Method.SUM_OF_SLICES if modality is Modality.MR else rate.method)


@pytest.mark.parametrize(
    ("film", "why"),
    [
        (film_of(Known(rate_hz=25.0, beats=2.1)), "24 frames a beat are fewer than 30"),
        (film_of(Known(beats=0.7)), "no beat is shown from one end-diastole to the next"),
        (film_of(Known(beats=2.1), times=False), "the times of the frames are not known"),
    ],
)
def test_where_rates_cannot_be_had_a_note_says_why(film: Film, why: str) -> None:
    assert flow_quantities(film) == []
    (note,) = flow_flags(film)
    assert why in note.text


def test_a_film_with_rates_has_no_such_note() -> None:
    assert flow_flags(film_of(Known(beats=2.1))) == []


def test_the_heart_rate_is_the_stated_one_else_that_of_the_beats() -> None:
    film = film_of(Known(Heart(heart_rate_bpm=72), beats=3.1))
    measured = heart_rate([film.source.image], [film])
    assert measured is not None
    assert (measured.method, measured.unit) == (Method.BEAT_LENGTH, "bpm")
    assert measured.value == pytest.approx(72, rel=0.03)
    stated = film_of(Known(Heart(heart_rate_bpm=72), beats=3.1), acquisition=Acquisition(heart_rate_bpm=70.0))
    found = heart_rate([stated.source.image], [stated])
    assert found is not None
    assert (found.method, found.value) == (Method.STATED, 70.0)
    assert rhythm_flags([stated.source.image], [stated]) == []


@pytest.mark.parametrize("rate", [0.0, -5.0, 1000.0])
def test_an_impossible_heart_rate_is_told_and_not_used(rate: float) -> None:
    film = film_of(Known(beats=3.1), acquisition=Acquisition(heart_rate_bpm=rate))
    (note,) = rhythm_flags([film.source.image], [film])
    assert note.rule == "heart-rate"
    found = heart_rate([film.source.image], [film])
    assert found is not None
    assert found.method is Method.BEAT_LENGTH


def test_a_stated_rate_that_the_film_contradicts_is_told() -> None:
    film = film_of(Known(Heart(heart_rate_bpm=60), beats=3.1), acquisition=Acquisition(heart_rate_bpm=90.0))
    assert [item.rule for item in rhythm_flags([film.source.image], [film])] == ["heart-rate-differs"]


def test_r_waves_outside_the_film_are_told() -> None:
    film = film_of(Known(beats=2.1), acquisition=Acquisition(r_waves_ms=(50_000.0, 51_000.0)))
    assert [item.rule for item in rhythm_flags([film.source.image], [film])] == ["r-waves-outside"]
    inside = film_of(Known(beats=2.1), acquisition=Acquisition(r_waves_ms=(0.0, Known().period_ms)))
    assert rhythm_flags([inside.source.image], [inside]) == []


def test_output_is_stroke_times_rate_and_says_where_the_rate_was_measured() -> None:
    stroke = Quantity("left_ventricular_stroke_volume", 70.0, "ml", Method.SUM_OF_SLICES, "SAX", ())
    stated = Quantity("heart_rate", 60.0, "bpm", Method.STATED, "SAX", ())
    output = cardiac_output(stroke, stated)
    assert (output.value, output.unit, output.flags) == (pytest.approx(4.2), "l/min", ())
    assert cardiac_index(output, 2.0).value == pytest.approx(2.1)
    measured = cardiac_output(stroke, Quantity("heart_rate", 60.0, "bpm", Method.BEAT_LENGTH, "SAX", ()))
    assert [item.rule for item in measured.flags] == ["rate-measured"]


def atrial_film(frames: int = 40) -> tuple[Film, np.ndarray]:
    """An atrium that grows while the ventricle empties, and shrinks in two steps; with the lengths of its wall, mm."""
    known = Known(Heart(heart_rate_bpm=60), rate_hz=frames, beats=1)
    filling = known.heart.cycle.filling(known.times_ms)
    shapes = [Ventricle(20 + 5 * full, 70 + 10 * full, atrium_mm=40 - 14 * full) for full in filling]
    array = np.stack([shape.draw((0.8, 0.8)) for shape in shapes])[:, None]
    labels = LabelMap(array, CAMUS, Geometry.of_spacing((1.0, 0.8, 0.8)))
    grey = np.full(array.shape, 90, np.uint8)
    image = Image(grey, labels.geometry, known.times_ms, View.FOUR_CHAMBER, modality=Modality.US)
    cine = TracedCine(ExamImage("film", image), labels, np.zeros(len(array), bool))
    curve = Curve("film", "A4C", tuple(known.times_ms.tolist()), {"left_ventricular_area_cm2": tuple(cine.sizes / 100)})
    angle = np.linspace(0, np.pi, 400)
    lengths = [
        np.hypot(*np.diff([(shape.radius_mm - 5) * np.cos(angle), shape.atrium_mm * np.sin(angle)])).sum()
        for shape in shapes
    ]
    # Its floor is 10 mm narrower than the annulus, which is left out.
    return Film(cine, curve, image_beats(cine)), np.array(lengths) - 10


def test_atrial_strain_is_that_of_the_wall_and_its_parts_add_up() -> None:
    film, lengths = atrial_film()
    found = {item.name: item for item in atrium_quantities(film)}
    reservoir, conduit, pump = (found[f"left_atrial_{name}_strain"].value for name in ("reservoir", "conduit", "pump"))
    assert reservoir == pytest.approx(100 * (lengths.max() / lengths[0] - 1), abs=3.0)
    assert reservoir == pytest.approx(conduit + pump)
    # A little more than a quarter of the filling comes by the atrium's contraction.
    assert 0.15 < pump / reservoir < 0.45


def test_too_few_frames_give_the_reservoir_alone() -> None:
    film, _ = atrial_film(20)
    assert [item.name for item in atrium_quantities(film)] == ["left_atrial_reservoir_strain"]
