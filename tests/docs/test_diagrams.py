"""The pictures of the architecture are those that the tables give, and what they name is there."""

import configparser
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "cardiotrace"

spec = importlib.util.spec_from_file_location("diagrams", ROOT / "docs" / "diagrams.py")
assert spec is not None
assert spec.loader is not None
diagrams = importlib.util.module_from_spec(spec)
spec.loader.exec_module(diagrams)


@pytest.mark.parametrize("name", diagrams.pictures())
def test_a_picture_is_as_its_table_says(name: str) -> None:
    drawn = (diagrams.ASSETS / name).read_text(encoding="utf-8")
    assert drawn == diagrams.pictures()[name], "draw it again: python docs/diagrams.py"


@pytest.mark.parametrize("box", [*diagrams.EXAM, *diagrams.TRAINING], ids=lambda box: box.title)
def test_every_file_that_a_picture_names_is_there(box) -> None:
    named = [place for item in box.adds for place in re.findall(r"[\w/]+(?:\.html\.jinja|\.py|\.toml|/)", item)]
    assert named or not box.adds
    for place in named:
        assert (SOURCE / place).exists(), place
    for room in box.room.replace(" ", "").split("+"):
        assert (SOURCE / room.replace(".", "/")).exists() or (SOURCE / f"{room.replace('.', '/')}.py").exists(), room


def test_the_rooms_are_drawn_in_the_order_that_imports_must_keep() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    floors = contracts["importlinter:contract:layers"]["layers"].strip().splitlines()
    assert [[room.strip() for room in floor.split("|")] for floor in floors] == [
        [room.name for room in floor] for floor in diagrams.ROOMS
    ]
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert {room.name for floor in diagrams.ROOMS for room in floor} == rooms


def test_words_stay_in_their_boxes() -> None:
    """A letter of the font is half its size wide on average: no line may leave the picture."""
    for picture in diagrams.pictures().values():
        for x, size, anchor, words in re.findall(
            r"<text x='([\d.]+)' y='[\d.]+' font-size='(\d+)'.*?text-anchor='(\w+)' [^>]*>([^<]*)<", picture
        ):
            width = 0.5 * int(size) * len(words)
            assert (float(x) + width if anchor == "start" else float(x)) <= diagrams.WIDTH, words
