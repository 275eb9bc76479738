import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from cardiotrace.clinical.long_axis_trace import trace_long_axis
from cardiotrace.core.errors import InputError
from cardiotrace.core.label import ACDC, MNMS
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.phantoms.cmr import CmrPhantom, Layout, cmr_exam, sample_cmr
from cardiotrace.phantoms.cmr.bssfp import RELAXATION, Sequence, Substance
from cardiotrace.phantoms.cmr.kspace import Readout
from cardiotrace.phantoms.cmr.motion import Motion
from cardiotrace.phantoms.cmr.phantom import LONG_AXIS_VIEWS
from cardiotrace.phantoms.cmr.slices import LABELLED, section_areas
from cardiotrace.phantoms.cmr.style import STYLES
from cardiotrace.phantoms.heart.anatomy import Tissue
from cardiotrace.phantoms.heart.heart import Heart
from cardiotrace.phantoms.heart.population import Pathology
from cardiotrace.phantoms.heart.section import right_atrium
from cardiotrace.phantoms.heart.view import PLANE_DEG, view_truth

COARSE = {"frame_count": 12, "shape": (112, 112), "spacing_mm": 2.8}


@pytest.fixture(scope="module")
def made():
    return cmr_exam(CmrPhantom(**COARSE, long_axis=("4CH", "2CH", "3CH"), seed=3))


def volumes_ml(labels, structure):
    return labels.mask(structure).sum((1, 2, 3)) * np.prod(labels.spacing_mm) / 1000


def test_exam_holds_a_stack_and_the_planes_that_were_asked_for(made):
    names = ["phantom0003_SA", "phantom0003_LA_4CH", "phantom0003_LA_2CH", "phantom0003_LA_3CH"]
    assert [image.name for image in made.exam.images] == names
    stack = made.exam.images[0].image
    assert stack.view is View.SAX
    assert stack.spacing_mm == (10.0, 2.8, 2.8)
    assert stack.frames.dtype == np.int16
    assert stack.frames.shape == (12, len(made.truth.slice_heights_mm), 112, 112)
    planes = [image.image for image in made.exam.images[1:]]
    assert [plane.view for plane in planes] == [View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER]
    assert {plane.frames.shape for plane in planes} == {(12, 1, 112, 112)}
    assert made.exam.images[0].phases == {Phase.ED: 0, Phase.ES: made.truth.end_systolic_frame}
    assert made.exam.facts["vendor"] == "Siemens"


def test_labels_lie_on_the_grid_of_their_image(made):
    for image in made.exam.images:
        labels = made.labels[image.name]
        assert labels.array.shape == image.image.frames.shape
        assert labels.spacing_mm == image.image.spacing_mm
        assert labels.scheme is ACDC


def test_long_axis_planes_show_ventricle_and_wall(made):
    for name in ("4CH", "2CH", "3CH"):
        array = made.labels[f"phantom0003_LA_{name}"]
        assert array.mask(Structure.LV)[0].sum() * 2.8**2 > 2000
        assert array.mask(Structure.MYO)[0].sum() * 2.8**2 > 1000
    assert made.labels["phantom0003_LA_4CH"].mask(Structure.RV)[0].sum() * 2.8**2 > 800


@pytest.mark.parametrize("name", ["4CH", "2CH", "3CH"])
def test_long_axis_planes_cut_apex_and_annulus(made, name):
    """Areas and length are those of the heart's own section: a plane beside the apex would be shorter."""
    labels, last = made.labels[f"phantom0003_LA_{name}"], made.truth.end_systolic_frame
    config = CmrPhantom(**COARSE, seed=3)
    states = config.at(made.truth.times_ms)
    angle = PLANE_DEG[LONG_AXIS_VIEWS[name]]
    truth = view_truth(states, angle)
    area = labels.mask(Structure.LV).sum((1, 2, 3)) * 2.8**2 / 100
    assert area == pytest.approx(truth.area_cm2, rel=0.06)
    traces = [trace_long_axis(labels, frame, towards_base=None) for frame in (0, last)]
    assert [found.length_cm * 10 for found in traces] == pytest.approx(truth.length_mm[[0, last]], abs=3.0)
    ring_mm = 2 * states[0].cavity.base_radius_mm
    assert traces[0].axis.annulus_width == pytest.approx(ring_mm, abs=4.5)


def test_planes_that_miss_the_axis_show_less_of_the_ventricle():
    shown = [lone_plane(aside_mm=aside, breath_mm=0.0, bend_mm=0.0) for aside in (0.0, 6.0)]
    areas = [made.labels["phantom0003_LA_4CH"].mask(Structure.LV)[0].sum() for made in shown]
    cavity = CmrPhantom().at(np.zeros(1))[0].cavity
    radii = cavity.radius_mm(np.linspace(0, cavity.length_mm, 2000))
    expected = np.sqrt(np.maximum(radii**2 - 6**2, 0)).sum() / radii.sum()
    # Within what pixels of 2.8 mm tell of areas of 30 cm2.
    assert areas[1] / areas[0] == pytest.approx(expected, abs=0.015)


def lone_plane(**options):
    return cmr_exam(CmrPhantom(**COARSE, seed=3, short_axis=False, long_axis=("4CH",), **options))


def test_a_plane_is_the_same_without_its_stack(made):
    lone = lone_plane()
    (image,) = lone.exam.images
    beside = next(each for each in made.exam.images if each.name == image.name)
    assert image.image.frames.tobytes() == beside.image.frames.tobytes()
    assert lone.truth.volume_ml.tolist() == made.truth.volume_ml.tolist()


def test_atria_are_labelled_where_the_scheme_has_them(made):
    chambers = lone_plane(scheme="chambers")
    labels = chambers.labels["phantom0003_LA_4CH"]
    assert np.array_equal(labels.to(ACDC).array, made.labels["phantom0003_LA_4CH"].array)
    state = CmrPhantom().at(np.zeros(1))[0]
    x, z = state.atrium_outline(721).T
    section = abs((x * np.roll(z, -1) - z * np.roll(x, -1)).sum()) / 2
    assert labels.mask(Structure.LA)[0].sum() * 2.8**2 == pytest.approx(section, rel=0.05)
    assert labels.mask(Structure.RA)[0].sum() * 2.8**2 > 600
    # Both lie on the far side of the valves: nothing of them among the ventricles' middles.
    rows = {name: np.argwhere(labels.mask(name)[0, 0]).mean(axis=0) for name in ("LV", "RV", "LA", "RA")}
    along = rows["LA"] - rows["LV"]
    assert (rows["RA"] - rows["RV"]) @ along > 0.5 * along @ along


def test_atria_are_as_large_as_is_said():
    sizes = []
    for width, length in ((1.06, 42.0), (1.5, 60.0)):
        state = Heart(atrial_width=width, atrial_length_mm=length).at(np.zeros(1))[0]
        assert state.atrium.short_mm == pytest.approx(width * state.cavity.base_radius_mm)
        assert -state.atrium_outline()[:, 1].min() == pytest.approx(length)
        sizes.append(right_atrium(Heart(right_atrial_size=width).at(np.zeros(1))[0]).half_mm)
    assert np.array(sizes[1]) / np.array(sizes[0]) == pytest.approx(1.5 / 1.06)


def test_slices_go_from_base_to_apex_with_the_right_ventricle_on_the_left(made):
    labels = made.labels["phantom0003_SA"]
    left, right = labels.mask(Structure.LV)[0], labels.mask(Structure.RV)[0]
    areas = left.sum((1, 2))
    shown = np.flatnonzero(areas)
    assert areas[shown[1]] > 2 * areas[shown[-1]]
    middle = shown[len(shown) // 2]
    assert np.nonzero(right[middle])[1].mean() < np.nonzero(left[middle])[1].mean() - 8


def test_truth_is_that_of_the_heart(made):
    truth = made.truth
    assert truth.end_diastolic_ml == pytest.approx(120.0)
    assert truth.ejection_fraction_percent == pytest.approx(60.0)
    assert truth.right_ml[0] == pytest.approx(140.0, rel=1e-3)
    assert truth.right_ejection_fraction_percent == pytest.approx(57.0, rel=1e-3)
    assert truth.wall_ml == pytest.approx(np.full(12, truth.wall_ml[0]), rel=1e-3)
    assert truth.mass_g == pytest.approx(1.05 * truth.wall_ml[0])


def test_labels_measure_what_the_slices_do(made):
    labels, truth = made.labels["phantom0003_SA"], made.truth
    assert volumes_ml(labels, Structure.LV) == pytest.approx(truth.sliced_volume_ml, rel=0.03)
    assert volumes_ml(labels, Structure.MYO) == pytest.approx(truth.sliced_wall_ml, rel=0.03)
    assert volumes_ml(labels, Structure.RV) == pytest.approx(truth.sliced_right_ml, rel=0.06)


def stack_of(thickness_mm, **options):
    config = CmrPhantom(shape=(96, 96), spacing_mm=2.0, thickness_mm=thickness_mm, gap_mm=0.0, breath_mm=0.0, **options)
    states = config.at(np.array([0.0, config.cycle.end_systole_ms]))
    return config, states, Layout(config, states)


def test_slices_converge_to_the_heart_as_they_get_thinner():
    errors = []
    for thickness in (12.0, 4.0, 1.0):
        _, states, layout = stack_of(thickness)
        areas = [section_areas(state, layout.heights_mm) for state in states]
        sums = np.array([[a.left.sum(), a.wall.sum(), a.right.sum()] for a in areas]) * thickness / 1000
        truth = np.array([[s.volume_ml, s.wall_ml, s.right_ml] for s in states])
        errors.append(float(np.abs(sums / truth - 1).max()))
    assert errors[2] < 0.02
    assert errors[2] < errors[1] < errors[0]


def test_sections_agree_with_the_tissue_that_is_drawn():
    _, states, layout = stack_of(9.0)
    plane = layout.stack[4]
    rows, columns = np.meshgrid(np.arange(-80, 80, 0.5), np.arange(-80, 80, 0.5), indexing="ij")
    for state in states:
        points = plane.points(rows, columns)
        points[..., 2] -= state.rise_mm
        codes = state.tissue(points)
        areas = section_areas(state, np.array([plane.middle_mm[2]]))
        assert (codes == Tissue.MYO).sum() / 4 == pytest.approx(areas.wall[0], rel=0.005)
        assert np.isin(codes, [Tissue.LV, Tissue.PAPILLARY]).sum() / 4 == pytest.approx(areas.left[0], rel=0.005)
        assert (codes == Tissue.RV).sum() / 4 == pytest.approx(areas.right[0], rel=0.01)


def test_mass_stays_the_same_over_the_beat():
    config = CmrPhantom(frame_count=12)
    walls = [state.wall_ml for state in config.at(config.cycle.times_ms(12))]
    assert max(walls) / min(walls) - 1 < 0.005
    heights = np.arange(0.1, 120, 0.2)
    sliced = [section_areas(state, heights).wall.sum() for state in config.at(config.cycle.times_ms(12))]
    assert max(sliced) / min(sliced) - 1 < 0.005


def test_same_seed_same_bytes_and_another_seed_others():
    config = CmrPhantom(frame_count=12, shape=(80, 80), spacing_mm=3.0, seed=5)
    first, again = cmr_exam(config), cmr_exam(config)
    other = cmr_exam(dataclasses.replace(config, seed=6))
    assert first.exam.images[0].image.frames.tobytes() == again.exam.images[0].image.frames.tobytes()
    assert first.labels["phantom0005_SA"].array.tobytes() == again.labels["phantom0005_SA"].array.tobytes()
    assert first.exam.images[0].image.frames.tobytes() != other.exam.images[0].image.frames.tobytes()


def test_schemes_differ_only_in_values():
    acdc = cmr_exam(CmrPhantom(**COARSE, thickness_mm=15.0, scheme="acdc"))
    mnms = cmr_exam(CmrPhantom(**COARSE, thickness_mm=15.0, scheme="mnms"))
    name = "phantom0000_SA"
    assert np.array_equal(acdc.exam.images[0].image.frames, mnms.exam.images[0].image.frames)
    assert mnms.labels[name].scheme is MNMS
    assert np.array_equal(acdc.labels[name].to(MNMS).array, mnms.labels[name].array)
    assert not np.array_equal(acdc.labels[name].array, mnms.labels[name].array)


def test_poor_images_have_more_noise_and_ghosts_but_the_same_labels():
    good = CmrPhantom(frame_count=12, shape=(96, 96), spacing_mm=3.0, breath_mm=0.0, seed=8)
    poor = dataclasses.replace(good, quality="poor", snr=float("inf"))
    layouts = [Layout(config, config.at(config.cycle.times_ms(12))) for config in (good, poor)]
    # The same slice of the same heart: what breath does to its place is tested elsewhere.
    plane = layouts[0].stack[4]
    layouts[1]._breaths_mm[:] = 0
    videos = [layout.video(4, plane) for layout in layouts]
    assert np.array_equal(videos[0].labels, videos[1].labels)
    corner = [video.frames[:, :14, :14].astype(float).std() for video in videos]
    assert corner[1] > 0  # ghosts reach beyond the chest even without noise
    assert good.scanner.snr / dataclasses.replace(good, quality="poor").scanner.snr == pytest.approx(1 / 0.3)
    still = (videos[0].labels == 0).all(0)
    moving = ~still
    change = np.abs(videos[1].frames - videos[0].frames.astype(float)).mean(0)
    assert change[moving].mean() > change[still].mean()


def test_slices_of_poor_images_lie_less_well_over_each_other():
    config = CmrPhantom(**COARSE, breath_mm=0.0, seed=4)
    spreads = []
    for quality in ("good", "medium", "poor"):
        made = dataclasses.replace(config, quality=quality)
        heights = Layout(made, made.at(np.zeros(1))).heights_mm
        spreads.append(float(np.std(np.diff(heights))))
    assert spreads[0] == pytest.approx(0, abs=1e-9)
    # The same breaths, 1.5 mm and 4 mm strong, along an axis that lies aslant to them.
    assert spreads[2] / spreads[1] == pytest.approx(4.0 / 1.5)
    assert spreads[1] == pytest.approx(np.sqrt(2) * 1.5 * 0.547, rel=0.25)


def test_motion_mixes_neighbouring_frames_only():
    spectra = [np.full((18, 4), value, np.complex64) for value in (0.0, 10.0, 20.0, 30.0)]
    cycles = np.zeros((18, 1)), np.zeros((1, 4))
    mixed = Motion(trigger_ms=12.0, seed=(1,)).mixed(spectra, 40.0, 1.4, cycles)
    assert np.ptp(mixed[1].real, axis=1).max() == 0  # a line belongs to one heartbeat
    # Neighbours differ by 10, so a line that is late by a share of a frame shows 10 times that share more.
    late = np.random.default_rng((1,)).normal(0, 12.0 / 40.0, 9)
    assert np.abs(late).max() < 1
    np.testing.assert_allclose(mixed[1].real[:9, 0], 10 + 10 * late, rtol=1e-5)
    np.testing.assert_allclose((mixed[2] - mixed[1]).real, 10, rtol=1e-5)
    assert (mixed[1][0] == mixed[1][9]).all()  # lines nine apart to the same


def test_drift_moves_the_image_by_what_it_says():
    readout = Readout((32, 32))
    point = np.zeros((32, 32), complex)
    point[16, 16] = 1
    made = Motion(drift_mm=1.0, seed=(3,)).mixed([readout.measured(point)], 40.0, 1.0, readout.cycles)
    image = readout.image(made[0], np.random.default_rng(0))
    assert image.sum() > 10  # spread out, into ghosts
    assert (image**2).sum() == pytest.approx(1, rel=1e-5)  # of which nothing is lost
    assert np.unravel_index(image.argmax(), image.shape) == (16, 16)


def test_papillary_muscles_belong_to_the_cavity():
    assert LABELLED[Tissue.PAPILLARY] is Structure.LV


@pytest.fixture(scope="module")
def video():
    config = CmrPhantom(spacing_mm=2.0, shape=(160, 128), snr=30.0, seed=2)
    states = config.at(np.array([0.0, config.cycle.end_systole_ms]))
    layout = Layout(config, states)
    return config, layout, layout.video(4, layout.stack[4])


def test_blood_is_brighter_than_muscle_and_muscle_than_lung(video):
    _, _, made = video
    frame, labels = made.frames[0], made.labels[0]
    rows, columns = np.nonzero(labels == ACDC.value(Structure.LV))
    row, column = int(rows.mean()), int(columns.mean())
    blood, muscle = frame[labels == 3].mean(), frame[labels == 2].mean()
    lung = frame[row - 40 : row - 30, column + 5 : column + 15]
    assert blood > 2 * muscle
    assert muscle > 2 * np.median(lung)
    # Venous blood of the shorter T2, and as much of it behind trabeculae.
    assert frame[labels == 1].mean() / blood == pytest.approx(0.9, abs=0.05)


def test_noise_is_as_strong_as_configured(video):
    config, _, made = video
    corner = made.frames[:, :24, :24].astype(float)
    # Far from the body only noise is left: its magnitude has the mean sigma sqrt(pi / 2).
    sigma = corner.mean() / np.sqrt(np.pi / 2)
    assert config.scanner.white / sigma == pytest.approx(30.0, rel=0.12)


def test_noise_does_not_touch_what_is_true(video):
    config, layout, made = video
    quiet = dataclasses.replace(config, snr=float("inf"))
    again = Layout(quiet, config.at(np.array([0.0, config.cycle.end_systole_ms]))).video(4, layout.stack[4])
    assert np.array_equal(again.labels, made.labels)
    assert again.frames[:, :24, :24].mean() < 0.4 * made.frames[:, :24, :24].mean()


def test_breath_shifts_slices_and_the_truth_of_the_slices_knows():
    still = CmrPhantom(**COARSE, breath_mm=0.0, seed=4)
    moved = dataclasses.replace(still, breath_mm=8.0)
    first, second = (Layout(c, c.at(np.zeros(1))).heights_mm for c in (still, moved))
    assert np.allclose(np.diff(first), 10.0)
    half = dataclasses.replace(still, breath_mm=4.0)
    third = Layout(half, half.at(np.zeros(1))).heights_mm
    # Along the heart's axis, which falls by 33 degrees: a slice moves by sin(33) of the breath.
    np.testing.assert_allclose(second - first, 2 * (third - first), atol=1e-9)
    assert np.std(second - first) == pytest.approx(8.0 * np.sin(np.radians(33)), rel=0.1)


@pytest.mark.parametrize("style", list(STYLES))
def test_every_style_shows_bright_blood_in_dark_muscle(style):
    config = sample_cmr(7, pathology="normal", style=style)
    config = dataclasses.replace(config, shape=(120, 120), spacing_mm=2.4)
    states = config.at(np.array([0.0, config.cycle.end_systole_ms]))
    layout = Layout(config, states)
    made = layout.video(len(layout.stack) // 2, layout.stack[len(layout.stack) // 2])
    blood, muscle = made.frames[made.labels == 3].mean(), made.frames[made.labels == 2].mean()
    signals = [
        abs(config.scanner.sequence.signal(kind, np.zeros(1))[0]) for kind in (Substance.ARTERIAL, Substance.MYOCARDIUM)
    ]
    assert blood / muscle == pytest.approx(signals[0] / signals[1], rel=0.1)
    assert blood == pytest.approx(config.scanner.white, rel=0.1)


def test_patients_of_every_pathology_can_be_imaged():
    for pathology in Pathology:
        config = sample_cmr(11, pathology=pathology)
        assert config == sample_cmr(11, pathology=pathology)
        layout = Layout(config, config.at(np.zeros(1)))
        # From the first plane, at most a third of a step beside the mitral one, until the apex is passed by one step.
        step = config.scanner.thickness_mm + config.scanner.gap_mm
        beyond = layout.stack[-1].middle_mm[2] - config.at(np.zeros(1))[0].epicardium.length_mm
        assert 0 <= beyond < step
        assert abs(layout.stack[0].middle_mm[2]) <= 0.35 * step
        assert np.allclose(np.diff([plane.middle_mm[2] for plane in layout.stack]), step)


def test_steady_state_on_resonance_is_the_textbook_one():
    sequence = Sequence(1.5, 3.0, 60.0)
    e1, e2, cosine, sine = np.exp(-3 / 1000), np.exp(-3 / 50), 0.5, np.sqrt(0.75)
    expected = (1 - e1) * sine / (1 - (e1 - e2) * cosine - e1 * e2) * np.sqrt(e2)
    assert sequence.steady(1000.0, 50.0, np.zeros(1))[0] == pytest.approx(expected)


def test_steady_state_is_where_the_pulses_lead():
    sequence = Sequence(1.5, 4.0, 50.0)
    t1, t2, off = 800.0, 80.0, 37.0
    e1, e2 = np.exp(-4 / t1), np.exp(-4 / t2)
    flip, turn = np.deg2rad(50.0), 2e-3 * np.pi * 4.0 * off
    magnetisation = np.array([0.0, 0.0, 1.0])
    for index in range(4000):
        angle = flip * (-1) ** index
        c, s = np.cos(angle), np.sin(angle)
        pulsed = np.array([[1, 0, 0], [0, c, s], [0, -s, c]]) @ magnetisation
        c, s = np.cos(turn), np.sin(turn)
        free = np.array([[c * e2, s * e2, 0], [-s * e2, c * e2, 0], [0, 0, e1]])
        magnetisation = free @ pulsed + np.array([0, 0, 1 - e1])
    simulated = np.hypot(*pulsed[:2]) * np.sqrt(e2)
    assert abs(sequence.steady(t1, t2, np.array([off]))[0]) == pytest.approx(simulated, rel=1e-6)


def test_bands_are_dark_and_fat_opposes_water():
    sequence = Sequence(1.5, 3.0, 60.0)
    t1, t2 = RELAXATION[Substance.MYOCARDIUM].at(1.5)
    middle, band = abs(sequence.steady(t1, t2, np.array([0.0, 500 / 3.0])))
    assert band < 0.05 * middle
    fat, water = (sequence.signal(kind, np.zeros(1))[0] for kind in (Substance.FAT, Substance.MYOCARDIUM))
    assert fat.real < 0 < water.real


def test_blood_that_flows_is_brighter_up_to_the_first_pulse():
    sequence = Sequence(1.5, 3.0, 60.0)
    gain = sequence.inflow(1550.0, 250.0, np.array([0.0, 50.0, 200.0, 1e6]), 8.0)
    assert gain[0] == pytest.approx(1.0, abs=0.01)
    assert np.all(np.diff(gain) > 0)
    steady = abs(sequence.steady(1550.0, 250.0, np.zeros(1))[0])
    assert gain[-1] == pytest.approx(0.5 / steady)


def test_truncation_rings_by_nine_percent():
    object_ = np.zeros((64, 512))
    object_[:, 128:384] = 1.0
    sharp = Readout((64, 512), acquired=(1.0, 0.25))
    image = sharp.image(sharp.measured(object_ + 0j), np.random.default_rng(0))
    assert image.max() == pytest.approx(1.0895, abs=0.01)
    smooth = Readout((64, 512), acquired=(1.0, 0.25), roll_off=0.8)
    calm = smooth.image(smooth.measured(object_ + 0j), np.random.default_rng(0))
    assert calm.max() < 1.05


def test_noise_alone_is_rayleigh():
    readout = Readout((128, 128), acquired=(0.7, 0.8), partial_fourier=0.8, roll_off=0.3, noise=2.0)
    image = readout.image(readout.measured(np.zeros((128, 128), complex)), np.random.default_rng(1))
    assert image.mean() == pytest.approx(2.0 * np.sqrt(np.pi / 2), rel=0.02)
    assert (image**2).mean() == pytest.approx(8.0, rel=0.03)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"style": "kodak"}, "unknown style"),
        ({"quality": "splendid"}, "unknown quality"),
        ({"scheme": "camus"}, "unknown scheme"),
        ({"long_axis": ("5CH",)}, "unknown plane"),
        ({"short_axis": False}, "no plane is imaged"),
        ({"turn_deg": 40.0}, "turn_deg = 40.0"),
        ({"atrial_width": 0.9}, "atrial_width = 0.9"),
        ({"snr": 0.1}, "snr = 0.1 is out of range"),
        ({"shape": (20, 200)}, "too small"),
        ({"frame_count": 3}, "frame_count = 3"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        CmrPhantom(**options)


@pytest.mark.data
def test_contrast_is_that_of_acdc():
    from cardiotrace.io import read_image, read_labels

    root = Path(os.environ.get("CARDIOTRACE_DATA", "../shared/data")) / "acdc/database/training"
    if not root.exists():
        pytest.skip(f"no ACDC at {root}")
    real, phantom = [], []
    for folder in sorted(root.iterdir())[::4]:
        path = min(path for path in folder.glob("*frame*.nii.gz") if "_gt" not in path.name)
        frames = read_image(path, third_axis="depth").frames[0]
        labels = read_labels(path.with_name(path.name.replace(".nii", "_gt.nii")), ACDC, third_axis="depth").array[0]
        real.append([frames[labels == value].mean() for value in (1, 2, 3)])
    for seed in range(4):
        config = dataclasses.replace(sample_cmr(seed, style="siemens_1.5t"), shape=(128, 128), spacing_mm=2.4)
        layout = Layout(config, config.at(np.zeros(1)))
        videos = [layout.video(index, plane) for index, plane in enumerate(layout.stack)]
        frames, labels = (np.stack([getattr(video, name)[0] for video in videos]) for name in ("frames", "labels"))
        phantom.append([frames[labels == value].mean() for value in (1, 2, 3)])
    for over, under in ((2, 1), (0, 2)):
        known, made = (np.array([row[over] / row[under] for row in rows]) for rows in (real, phantom))
        assert abs(made.mean() - known.mean()) < known.std()
