"""What a report says before the numbers."""

from dataclasses import replace

import numpy as np

from cardiotrace.clinical.key_frames import KeyFrame
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry, Known
from cardiotrace.core.image import Acquisition, Image
from cardiotrace.core.terms import Modality, Phase, Structure, View
from cardiotrace.core.trust import ImageTrust
from cardiotrace.report.facts import facts_of, is_of_heart, trust_facts
from cardiotrace.report.words import Words


def echo(**changes) -> ExamImage:
    cine = Image(
        np.zeros((3, 1, 8, 8), np.uint8), Geometry.of_spacing((1.0, 0.31, 0.154)), np.array([0.0, 20.0, 40.0]),
        View.FOUR_CHAMBER, modality=Modality.US,
    )  # fmt: skip
    return ExamImage("a", replace(cine, **changes))


def test_what_is_known_is_said_and_what_is_not_is_not() -> None:
    acquisition = Acquisition(heart_rate_bpm=71.6, vendor="GE", scanner="Vivid E95")
    facts = {"quality": "Good", "reference_ejection_fraction_percent": "63.2", "name": "Jane Doe"}
    exam = Exam("x", (echo(acquisition=acquisition),), Patient("F", 56.0, 165.0, None), facts=facts)
    assert facts_of(exam) == [
        ("Sex", "female"),
        ("Age", "56 years"),
        ("Height", "165 cm"),
        ("Image quality", "Good"),
        ("Ejection fraction stated by the data set, %", "63.2"),
        ("Frame rate", "50 /s"),
        ("Heart rate", "72 /min"),
        ("Scanner", "GE Vivid E95"),
        ("Pixel size", "0.31 x 0.154 mm (from the file)"),
    ]
    assert facts_of(Exam("x", (echo(times_ms=None),), frame_rate_hz=62.4))[0] == ("Frame rate", "62 /s")


def test_images_that_differ_are_told_apart() -> None:
    stack = Image(
        np.zeros((1, 9, 8, 8), np.uint8),
        Geometry.of_spacing((8.0, 1.4, 1.4)).with_pixel_size(1.5, 1.5, known=Known.GIVEN),
        view=View.SAX,
        modality=Modality.MR,
        acquisition=Acquisition(heart_rate_bpm=60),
    )
    blind = replace(stack, geometry=Geometry.of_spacing((float("nan"), 1.4, 1.4)))
    images = (
        echo(acquisition=Acquisition(heart_rate_bpm=75)),
        ExamImage("b", stack),
        ExamImage("c", blind),
        ExamImage("d", replace(stack, geometry=NO_GEOMETRY)),
    )
    told = dict(facts_of(Exam("x", images)))
    assert told["Heart rate"] == "60 to 75 /min"
    assert told["Pixel size"] == (
        "A4C 0.31 x 0.154 mm (from the file); SAX 1.5 x 1.5 mm (given by the user), slices 8 mm apart (from the file);"
        " SAX 1.4 x 1.4 mm (from the file), distance of slices unknown; SAX unknown"
    )


def test_a_retina_is_no_heart() -> None:
    photograph = Image(np.zeros((1, 1, 8, 8, 3), np.uint8), NO_GEOMETRY, view=View.FUNDUS, modality=Modality.PHOTOGRAPH)
    assert not is_of_heart(Exam("eye", (ExamImage("a", photograph),)))
    assert is_of_heart(Exam("both", (ExamImage("a", photograph), echo())))
    assert is_of_heart(Exam("none", ()))


def test_what_a_model_expects_is_told_of_the_frames_that_were_measured() -> None:
    exam = Exam("x", (echo(), replace(echo(), name="b")))
    dice = {Structure.LV: np.array([0.9, 0.5, 0.8]), Structure.LA: np.full(3, np.nan)}
    trust = {"a": ImageTrust(dice, np.full(3, 0.4))}
    of_a4c = (View.FOUR_CHAMBER, "A4C")
    measured = Measures(
        "x",
        (),
        key_frames=(
            KeyFrame(*of_a4c, Phase.ED, "a", 0, is_named=True),
            KeyFrame(*of_a4c, Phase.ES, "a", 2, is_named=True),
        ),
    )
    assert trust_facts(exam, measured, trust) == [("Expected agreement with a reader (Dice)", "A4C LV 0.85")]
    told = trust_facts(exam, Measures("x", ()), trust, Words("fr"))
    assert told == [("Accord attendu avec un lecteur (Dice)", "A4C VG 0,73")]
    assert trust_facts(exam, measured, {}) == []
