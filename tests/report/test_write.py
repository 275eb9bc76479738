import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from cardiotrace.clinical import measure
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.errors import WorkError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, VESSEL, LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.report import ReportContext, write_report
from cardiotrace.report.write import ReportFiles
from tests.clinical.ventricle import Ventricle, image_of, label_map

WIDE, NARROW = Ventricle(25, 80), Ventricle(19, 70)


class Sources(HTMLParser):
    """Everything that a page would fetch, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.found.extend(value or "" for name, value in attrs if name in ("src", "href", "srcset", "data"))


def stills() -> tuple[Exam, dict[str, LabelMap]]:
    images, labels = [], {}
    for phase, ventricle in ((Phase.ED, WIDE), (Phase.ES, NARROW)):
        name = f"p1_{phase}"
        labels[name] = label_map([ventricle.draw((0.8, 0.8))], (1.0, 0.8, 0.8))
        images.append(image_of(name, labels[name], phases={phase: 0}))
    return Exam("p1", tuple(images), Patient(sex="F", age_years=56.0)), labels


def test_still_exam(tmp_path: Path) -> None:
    exam, labels = stills()
    measures = measure(exam, labels)
    page = write_report(
        exam, labels, measures, tmp_path / "p1", ReportContext(model={"name": "unet-x", "licence": "CC BY"})
    )
    written = sorted(str(path.relative_to(tmp_path / "p1")) for path in (tmp_path / "p1").rglob("*") if path.is_file())
    assert written == [
        "figures/end_diastolic_wall_thickness.svg",
        "figures/longitudinal_strain.svg",
        "figures/p1_ED_ED.png",
        "figures/p1_ES_ES.png",
        "figures/thumbnail.jpg",
        "figures/wall_thickening.svg",
        "measures.csv",
        "measures.json",
        "report.html",
    ]
    text = page.read_text()
    assert f"{measures.ejection_fraction_percent:.0f}<small>" in text
    # One plane is not judged by the range of two.
    assert "single plane" in text
    assert "normal 54" not in text
    assert "54–74" not in text
    assert "unet-x (CC BY)" in text
    assert "<dd>female</dd>" in text
    assert "<dd>56 years</dd>" in text
    assert "0.8 x 0.8 mm (from the file)" in text
    assert "not a medical device" in text
    assert "Look twice" not in text
    plain = json.loads((tmp_path / "p1" / "measures.json").read_text())
    rows = list(csv.DictReader((tmp_path / "p1" / "measures.csv").read_text().splitlines()))
    assert len(rows) == len(plain["quantities"]) == len(measures.quantities)
    assert float(rows[0]["value"]) == pytest.approx(measures.ejection_fraction_percent, rel=1e-5)


def test_normal_ranges_stand_beside_biplane_values(tmp_path: Path) -> None:
    exam, labels = stills()
    images = list(exam.images)
    for phase, ventricle in ((Phase.ED, WIDE), (Phase.ES, NARROW)):
        labels[f"two_{phase}"] = label_map([ventricle.draw((0.8, 0.8))], (1.0, 0.8, 0.8))
        images.append(image_of(f"two_{phase}", labels[f"two_{phase}"], view=View.TWO_CHAMBER, phases={phase: 0}))
    both = Exam("p1", tuple(images), exam.patient)
    text = write_report(both, labels, measure(both, labels), tmp_path).read_text()
    assert "reference 54–74 %" in text
    assert "biplane method of disks, A4C+A2C" in text


def test_page_needs_nothing_else(tmp_path: Path) -> None:
    exam, labels = stills()
    text = write_report(exam, labels, measure(exam, labels), tmp_path).read_text()
    page = Sources()
    page.feed(text)
    assert page.found
    assert all(source.startswith("data:image/") for source in page.found)
    assert not page.tags & {"script", "link", "iframe", "object"}
    assert re.findall(r"url\(|@import|https?://", text) == []


def test_names_cannot_inject_or_leave_the_folder(tmp_path: Path) -> None:
    exam, labels = stills()
    evil = "../<script>alert(1)</script>"
    image = ExamImage(evil, exam.images[0].image, {})
    renamed = {evil: labels[exam.images[0].name]}
    bad = Exam(evil, (image,))
    text = write_report(bad, renamed, measure(bad, renamed), tmp_path / "out").read_text()
    assert "<script>" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_flags_head_the_page_and_truth_stands_beside(tmp_path: Path) -> None:
    exam, labels = stills()
    swapped = tuple(
        ExamImage(image.name, image.image, {Phase.ES if Phase.ED in image.phases else Phase.ED: 0})
        for image in exam.images
    )
    bad = Exam("p1", swapped)
    measures = measure(bad, labels)
    text = write_report(
        bad, labels, measures, tmp_path, ReportContext(truth={"left_ventricular_ejection_fraction_percent": 49.4})
    ).read_text()
    assert text.index("Look twice") < text.index("Ejection fraction")
    assert all(flag.text.replace("'", "&#39;") in text for flag in measures.flags)
    assert "true 49 %" in text


def test_cine_gets_an_animation_and_a_curve(tmp_path: Path) -> None:
    planes = [Ventricle(25 - step, 80 - 2 * step).draw((1.0, 1.0)) for step in (0, 2, 4, 2)]
    labels = {"loop": label_map(planes, (1.0, 1.0, 1.0))}
    exam = Exam("p1", (image_of("loop", labels["loop"]),), frame_rate_hz=50.0)
    text = write_report(exam, labels, measure(exam, labels), tmp_path).read_text()
    with PilImage.open(tmp_path / "figures" / "loop.gif") as gif:
        assert gif.n_frames == 4
        assert gif.info["duration"] == 40
    assert (tmp_path / "figures" / "curves.svg").read_bytes().startswith(b"<svg")
    assert "played 2.0 times slower" in text
    assert text.count("data:image/gif") == 1


def test_every_frame_of_a_cine_is_written(tmp_path: Path) -> None:
    planes = [Ventricle(25 - step, 80 - 2 * step).draw((1.0, 1.0)) for step in (0, 2, 4)]
    labels = {"loop": label_map(planes, (1.0, 1.0, 1.0))}
    image = image_of("loop", labels["loop"])
    # Pixels of 16 bit are brought to the screen's range once, not frame by frame: no flicker.
    wide = ExamImage(
        "loop",
        Image(image.image.frames.astype(np.uint16) * 100, Geometry.of_spacing((1.0, 1.0, 1.0)), view=View.FOUR_CHAMBER),
    )
    exam = Exam("p1", (wide, ExamImage("still", Image(image.image.frames[:1], Geometry.of_spacing((1.0, 1.0, 1.0))))))
    write_report(exam, labels, measure(exam, labels), tmp_path, forms=ReportFiles(frames=True))
    written = sorted((tmp_path / "figures" / "frames").iterdir())
    assert [path.name for path in written] == ["loop_000.png", "loop_001.png", "loop_002.png"]
    images = [np.asarray(PilImage.open(path)) for path in written]
    assert len({raster.shape for raster in images}) == 1
    # The border shows speckle alone, of the same range in every frame.
    width = images[0].shape[1]
    border = [raster[-8:, width // 3 : width // 2].mean() for raster in images]
    assert max(border) - min(border) < 12
    assert not (images[0] == images[2]).all()


def test_short_axis_stack_is_shown_as_slices(tmp_path: Path) -> None:
    array = np.zeros((2, 8, 40, 40), np.uint8)
    array[:, 1:7, 5:35, 5:35] = 2
    array[0, 1:7, 10:30, 10:30] = 3
    array[1, 1:7, 15:25, 15:25] = 3
    image = ExamImage("stack", Image(array * 60, Geometry.of_spacing((10.0, 1.0, 1.0)), view=View.SAX))
    exam, labels = Exam("s1", (image,)), {"stack": LabelMap(array, ACDC, Geometry.of_spacing((10.0, 1.0, 1.0)))}
    text = write_report(exam, labels, measure(exam, labels), tmp_path).read_text()
    with PilImage.open(tmp_path / "figures" / "stack_ED.png") as sheet:
        pixels = np.asarray(sheet)
    # Eight slices in two rows of four; the first and the last show nothing.
    tiles = [tile for row in np.array_split(pixels[46:], 2) for tile in np.array_split(row, 4, axis=1)]
    orange = [int((np.abs(tile.astype(int) - (230, 159, 0)).sum(axis=2) < 60).sum()) for tile in tiles]
    assert [count > 200 for count in orange] == [False, *[True] * 6, False]
    assert "75<small>" in text
    # The ranges are those of MRI, and of both sexes.
    assert "reference 52–73 (men), 54–75 (women) %" in text
    assert "MRI, short axis, papillary muscles counted as blood" in text


def flagged(
    grade: Grade, name: str = "left_ventricular_ejection_fraction"
) -> tuple[Exam, dict[str, LabelMap], Measures]:
    """Stills whose value of that name carries a flag."""
    exam, labels = stills()
    flag = Flag(grade, "the reason", "a-rule", "LV")
    found = measure(exam, labels)
    marked = tuple(replace(item, flags=(flag,)) if item.name == name else item for item in found)
    return exam, labels, replace(found, quantities=marked, flags=(flag,))


def test_a_value_that_is_not_usable_is_struck_through_and_heads_nothing(tmp_path: Path) -> None:
    exam, labels, measures = flagged(Grade.NOT_USABLE)
    text = write_report(exam, labels, measures, tmp_path).read_text()
    assert measures.ejection_fraction_percent is None
    unusable = measures.find("left_ventricular_ejection_fraction")
    assert unusable is not None
    value = f"{unusable.value:.0f}"
    assert f"{value}<small>" not in text
    assert f"<s>{value} %</s>" in text
    assert f"<s>{value}</s></td>" in text
    assert text.index("Not usable") < text.index("the reason") < text.index("Ejection fraction</h2>")
    assert "<svg" not in text
    assert "No automatic check" not in text


@pytest.mark.parametrize(
    ("grade", "head", "is_above"),
    [(Grade.LOOK_TWICE, "Look twice before trusting", True), (Grade.NOTE, "Worth knowing", False)],
)
def test_flags_are_grouped_by_grade(tmp_path: Path, grade: Grade, head: str, is_above: bool) -> None:
    exam, labels, measures = flagged(grade, "left_ventricular_end_systolic_volume")
    text = write_report(exam, labels, measures, tmp_path).read_text()
    assert text.count("the reason") == 1
    assert text.index(head) < text.index("the reason")
    assert (text.index("the reason") < text.index("Ejection fraction</h2>")) == is_above
    assert ("No automatic check" in text) != is_above
    assert "<s>" not in text


def test_what_was_left_out_is_listed_with_the_reason(tmp_path: Path) -> None:
    exam, labels = stills()
    more = (
        *exam.images,
        replace(exam.images[0], name="plax", phases={}),
        replace(exam.images[0], name="subcostal", phases={}),
    )
    flag = Flag(Grade.LOOK_TWICE, "plax was left out: no model is at hand", "left-out", "plax")
    found = measure(replace(exam, images=more), labels)
    measures = replace(found, flags=(*found.flags, flag))
    text = write_report(replace(exam, images=more), labels, measures, tmp_path).read_text()
    part = text[text.index("Left out") :]
    assert "plax was left out: no model is at hand" in part
    assert "subcostal has no labels" in part
    assert text.count("plax") == 1


def test_biplane_values_have_their_range_and_single_planes_do_not(tmp_path: Path) -> None:
    images, labels = [], {}
    for view in (View.FOUR_CHAMBER, View.TWO_CHAMBER):
        for phase, ventricle in ((Phase.ED, WIDE), (Phase.ES, NARROW)):
            name = f"p1_{view}_{phase}"
            labels[name] = label_map([ventricle.draw((0.8, 0.8))], (1.0, 0.8, 0.8))
            image = image_of(name, labels[name], phases={phase: 0})
            images.append(replace(image, image=replace(image.image, view=view, modality=Modality.US)))
    exam = Exam("p1", tuple(images), Patient(sex="F", age_years=56.0))
    text = write_report(exam, labels, measure(exam, labels), tmp_path).read_text()
    assert "reference 54–74 %" in text
    assert "biplane method of disks, A4C+A2C" in text
    assert "method of disks, single plane, A4C" in text


def test_a_retina_is_not_spoken_of_as_a_heart(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:80, :80]
    inside = (rows - 40) ** 2 + (columns - 40) ** 2 < 38**2
    array = np.zeros((1, 1, 80, 80), np.uint8)
    array[0, 0, 38:42, 10:70] = 1
    frames = np.repeat((inside * 120).astype(np.uint8)[None, None, :, :, None], 3, axis=4)
    cine = Image(frames, NO_GEOMETRY, view=View.FUNDUS, modality=Modality.PHOTOGRAPH)
    exam, labels = Exam("eye", (ExamImage("eye", cine),)), {"eye": LabelMap(array, VESSEL, NO_GEOMETRY)}
    for name, measures in (("a", measure(exam, labels)), ("b", Measures("eye", ()))):
        text = write_report(exam, labels, measures, tmp_path / name).read_text()
        body = re.sub(r"data:image/[^\"]*|<style>.*?</style>", "", text, flags=re.S).lower()
        for word in (
            "ejection", "ventric", "heart", "diastol", "systol", "atri", "cardiac", "normal", "volume", "cine", " lv",
        ):  # fmt: skip
            assert word not in body, word
        assert "vessel density" in body


def test_exam_without_measures_is_still_reported(tmp_path: Path) -> None:
    page = write_report(Exam("empty", ()), {}, measure(Exam("empty", ()), {}), tmp_path)
    assert "not measured" in page.read_text()


def test_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    exam, labels = stills()
    with pytest.raises(WorkError, match="cannot make the folder"):
        write_report(exam, labels, measure(exam, labels), tmp_path / "taken")
