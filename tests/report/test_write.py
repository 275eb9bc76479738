import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from cardiotrace.clinical import measure
from cardiotrace.core.errors import WorkError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.core.terms import Phase, View
from cardiotrace.report import write_report
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
    page = write_report(exam, labels, measures, tmp_path / "p1", model={"name": "unet-x", "licence": "CC BY"})
    written = sorted(str(path.relative_to(tmp_path / "p1")) for path in (tmp_path / "p1").rglob("*") if path.is_file())
    assert written == ["figures/p1_ED_ED.png", "figures/p1_ES_ES.png", "measures.csv", "measures.json", "report.html"]
    text = page.read_text()
    assert f"{measures.ejection_fraction_percent:.0f}<small>" in text
    # The normal ranges are those of biplane echo.
    assert "normal 5" not in text
    assert "discs, single plane, A4C" in text
    assert "model unet-x" in text
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
    assert "normal 54–74 % (women)" in text
    assert "biplane discs, A4C+A2C" in text


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
    image = ExamImage(evil, exam.images[0].cine, {})
    renamed = {evil: labels[exam.images[0].name]}
    bad = Exam(evil, (image,))
    text = write_report(bad, renamed, measure(bad, renamed), tmp_path / "out").read_text()
    assert "<script>" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_flags_head_the_page_and_truth_stands_beside(tmp_path: Path) -> None:
    exam, labels = stills()
    swapped = tuple(
        ExamImage(image.name, image.cine, {Phase.ES if Phase.ED in image.phases else Phase.ED: 0})
        for image in exam.images
    )
    bad = Exam("p1", swapped)
    measures = measure(bad, labels)
    text = write_report(bad, labels, measures, tmp_path, truth={"ejection_fraction_percent": 49.4}).read_text()
    assert text.index("Look twice") < text.index("Ejection fraction")
    assert all(flag.text.replace("'", "&#39;") in text for flag in measures.flags)
    assert "true 49.4 %" in text


def test_cine_gets_an_animation_and_a_curve(tmp_path: Path) -> None:
    planes = [Ventricle(25 - step, 80 - 2 * step).draw((1.0, 1.0)) for step in (0, 2, 4, 2)]
    labels = {"loop": label_map(planes, (1.0, 1.0, 1.0))}
    exam = Exam("p1", (image_of("loop", labels["loop"]),), frame_rate_hz=50.0)
    text = write_report(exam, labels, measure(exam, labels), tmp_path).read_text()
    with Picture.open(tmp_path / "figures" / "loop.gif") as gif:
        assert gif.n_frames == 4
        assert gif.info["duration"] == 40
    with Picture.open(tmp_path / "figures" / "loop_curve.png") as curve:
        assert curve.width > 600
    assert "played 2.0 times slower" in text
    assert text.count("data:image/gif") == 1


def test_every_frame_of_a_cine_is_written(tmp_path: Path) -> None:
    planes = [Ventricle(25 - step, 80 - 2 * step).draw((1.0, 1.0)) for step in (0, 2, 4)]
    labels = {"loop": label_map(planes, (1.0, 1.0, 1.0))}
    image = image_of("loop", labels["loop"])
    # Pixels of 16 bit are brought to the screen's range once, not frame by frame: no flicker.
    wide = ExamImage(
        "loop",
        Image(image.cine.frames.astype(np.uint16) * 100, Geometry.of_spacing((1.0, 1.0, 1.0)), view=View.FOUR_CHAMBER),
    )
    exam = Exam("p1", (wide, ExamImage("still", Image(image.cine.frames[:1], Geometry.of_spacing((1.0, 1.0, 1.0))))))
    write_report(exam, labels, measure(exam, labels), tmp_path)
    written = sorted((tmp_path / "figures" / "frames").iterdir())
    assert [path.name for path in written] == ["loop_000.png", "loop_001.png", "loop_002.png"]
    pictures = [np.asarray(Picture.open(path)) for path in written]
    assert len({picture.shape for picture in pictures}) == 1
    # The border shows speckle alone, of the same range in every frame.
    width = pictures[0].shape[1]
    border = [picture[-8:, width // 3 : width // 2].mean() for picture in pictures]
    assert max(border) - min(border) < 12
    assert not (pictures[0] == pictures[2]).all()


def test_short_axis_stack_is_shown_as_slices(tmp_path: Path) -> None:
    array = np.zeros((2, 8, 40, 40), np.uint8)
    array[:, 1:7, 5:35, 5:35] = 2
    array[0, 1:7, 10:30, 10:30] = 3
    array[1, 1:7, 15:25, 15:25] = 3
    image = ExamImage("stack", Image(array * 60, Geometry.of_spacing((10.0, 1.0, 1.0)), view=View.SAX))
    exam, labels = Exam("s1", (image,)), {"stack": LabelMap(array, ACDC, Geometry.of_spacing((10.0, 1.0, 1.0)))}
    text = write_report(exam, labels, measure(exam, labels), tmp_path).read_text()
    with Picture.open(tmp_path / "figures" / "stack_ED.png") as sheet:
        assert sheet.width > 2.9 * sheet.height
    assert "75<small>" in text
    # The normal ranges are those of echo.
    assert "normal 5" not in text


def test_exam_without_measures_is_still_reported(tmp_path: Path) -> None:
    page = write_report(Exam("empty", ()), {}, measure(Exam("empty", ()), {}), tmp_path)
    assert "not measured" in page.read_text()


def test_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    exam, labels = stills()
    with pytest.raises(WorkError, match="cannot make the folder"):
        write_report(exam, labels, measure(exam, labels), tmp_path / "taken")
