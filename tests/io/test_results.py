"""Folders of results: all of them or none, whatever stops the writing, and nothing of the user's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cardiotrace.core.errors import UsageError, WorkError
from cardiotrace.core.text import csv_text
from cardiotrace.io import leftover
from cardiotrace.io.results import (
    MANIFEST,
    NO_MANIFEST,
    read_manifest,
    refuse_changed,
    staged_results,
)


def write(target: Path, files: dict[str, str], *, inputs=(), error=None, **options) -> None:
    with staged_results(target, **options) as staging:
        staging.inputs.extend(inputs)
        for name, text in files.items():
            (staging.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (staging.folder / name).write_text(text)
        if error is not None:
            raise error


def texts(folder: Path) -> dict[str, str]:
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    return {name: path.read_text() for name, path in found.items() if path.is_file() and path.name != MANIFEST}


@pytest.fixture
def target(tmp_path) -> Path:
    """Results of a first run, and a note of the user's."""
    write(tmp_path / "p", {"a.txt": "1", "figures/b.txt": "1", "old/c.txt": "1"})
    (tmp_path / "p" / "notes.txt").write_text("mine")
    return tmp_path / "p"


BEFORE = {"a.txt": "1", "figures/b.txt": "1", "old/c.txt": "1", "notes.txt": "mine"}
AFTER = {"a.txt": "2", "figures/b.txt": "2", "notes.txt": "mine"}
NEW = {"a.txt": "2", "figures/b.txt": "2"}


def test_results_are_renewed_and_the_rest_stays(target):
    write(target, NEW)
    assert texts(target) == AFTER
    assert not (target / "old").exists()
    assert [path.name for path in target.parent.iterdir()] == ["p"]
    assert read_manifest(target).is_whole(target)


def test_files_that_are_kept_are_still_known(target):
    write(target, NEW, keeps=lambda name: name.startswith("old/"))
    manifest = read_manifest(target)
    assert set(manifest.files) == {"a.txt", "figures/b.txt"}
    assert set(manifest.earlier) == {"old/c.txt"}
    write(target, NEW)
    assert texts(target) == AFTER


def test_a_changed_file_that_is_not_written_again_becomes_the_users(target):
    (target / "old/c.txt").write_text("by hand")
    write(target, NEW)
    assert texts(target) == {**AFTER, "old/c.txt": "by hand"}
    with pytest.raises(UsageError, match=r"c\.txt: was changed by hand since it was written: kept"):
        write(target, {"old/c.txt": "3"})
    with pytest.raises(UsageError, match="kept"):
        refuse_changed(target, read_manifest(target))
    refuse_changed(target, read_manifest(target), lambda name: name == "a.txt")


def test_a_removed_file_is_written_again(target):
    (target / "a.txt").unlink()
    assert not read_manifest(target).is_whole(target)
    write(target, NEW)
    assert texts(target) == AFTER


def test_what_is_the_same_anyway_is_no_conflict(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.txt").write_text("1")
    write(tmp_path / "p", {"a.txt": "1"})
    assert read_manifest(tmp_path / "p").is_whole(tmp_path / "p")


@pytest.mark.parametrize("overwrite", [False, True])
def test_inputs_are_never_written_over(target, overwrite):
    (target / "a.txt").unlink()
    (target.parent / "image.txt").write_text("image")
    os.link(target.parent / "image.txt", target / "a.txt")
    for given in (target.parent / "image.txt", target.parent):
        with pytest.raises(UsageError, match="would be replaced, and is read by this run"):
            write(target, {"a.txt": "2"}, inputs=[given], overwrite=overwrite)
    assert (target.parent / "image.txt").read_text() == "image"


def test_inputs_are_never_removed(target):
    write(target, {"a.txt": "2"}, inputs=[target / "old/c.txt"])
    assert texts(target) == {"a.txt": "2", "old/c.txt": "1", "notes.txt": "mine"}


def test_a_folder_is_never_replaced(target):
    (target / "a.txt").unlink()
    (target / "a.txt").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        write(target, NEW, overwrite=True)
    assert (target / "a.txt").is_dir()


class Stop(BaseException):
    """What no handler expects, as Ctrl-C is."""


@pytest.mark.parametrize("error", [Stop(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("number", range(9))
def test_stopped_at_any_rename_all_is_as_it_was(target, monkeypatch, error, number):
    """Nine renames: journal and manifest into the stage and then into place, an old file, and two for each of two."""
    manifest = (target / MANIFEST).read_text()
    rename, count = Path.replace, iter(range(100))

    def stopping(path, place):
        if next(count) == number:
            raise error
        return rename(path, place)

    monkeypatch.setattr(Path, "replace", stopping)
    with pytest.raises(WorkError if isinstance(error, OSError) else Stop):
        write(target, NEW)
    monkeypatch.undo()
    assert texts(target) == BEFORE
    assert (target / MANIFEST).read_text() == manifest
    assert [path.name for path in target.parent.iterdir()] == ["p"]


@pytest.mark.parametrize("name", ["journal", "final"])
def test_a_disk_that_fills_at_the_journal_or_the_manifest(target, monkeypatch, name):
    from cardiotrace.io import results

    def full(path, value):
        if Path(path).name == name:
            raise WorkError("could not be written (No space left on device)", where=path)
        path.write_text(json.dumps(value))

    monkeypatch.setattr(results, "write_json", full)
    with pytest.raises(WorkError, match="No space left"):
        write(target, NEW)
    assert texts(target) == BEFORE
    assert read_manifest(target).is_whole(target)
    assert [path.name for path in target.parent.iterdir()] == ["p"]


@pytest.mark.parametrize("number", range(9))
def test_killed_between_two_files_the_next_run_goes_on(target, number):
    """The process ends at a rename without a chance to tidy up: nothing is taken for the user's by mistake."""
    code = f"""
import itertools, os, pathlib
from cardiotrace.io.results import staged_results
rename, count = pathlib.Path.replace, itertools.count()
def kill(path, place):
    os._exit(9) if next(count) == {number} else rename(path, place)
pathlib.Path.replace = kill
with staged_results(pathlib.Path({str(target)!r})) as staging:
    (staging.folder / "figures").mkdir()
    (staging.folder / "a.txt").write_text("2")
    (staging.folder / "figures/b.txt").write_text("2")
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    manifest = read_manifest(target)
    refuse_changed(target, manifest)
    leftover._remove_once.cache_clear()  # as in another process
    write(target, NEW)
    assert texts(target) == AFTER
    assert [path.name for path in target.parent.iterdir()] == ["p"]


def test_nothing_is_left_of_a_first_run_that_fails(tmp_path):
    with pytest.raises(Stop):
        write(tmp_path / "a" / "b", {"x": "1"}, error=Stop())
    assert list(tmp_path.iterdir()) == []


def test_staged_inside_where_the_folder_above_may_not_be_written(tmp_path):
    write(tmp_path / "p", {"a.txt": "1"}, inside=True)
    write(tmp_path / "p", {"a.txt": "2"}, inside=True)
    assert texts(tmp_path) == {"p/a.txt": "2"}


def test_leftovers_of_killed_runs_only(tmp_path, monkeypatch):
    ended = subprocess.Popen(["true"])
    ended.wait()
    machine, word = leftover.run_mark().split("-")[0], "0" * 12
    names = {
        f".cardiotrace-{machine}-{ended.pid}-{word}.partial": False,
        f".cardiotrace-{machine}-{os.getpid()}-{word}.partial": True,
        f".cardiotrace-{machine}-{os.getppid()}-{word}.partial": True,
        f".cardiotrace-00000000-{ended.pid}-{word}.partial": True,
        f".cardiotrace-{machine}-mine.partial": True,
        ".mine.partial": True,
    }
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("1")
    with staged_results(tmp_path / "results"):
        pass
    assert {name: (tmp_path / name).exists() for name in names} == names


def test_a_strange_manifest_is_none(tmp_path):
    (tmp_path / MANIFEST).mkdir()
    assert read_manifest(tmp_path) == NO_MANIFEST
    assert read_manifest(tmp_path / "missing") == NO_MANIFEST


def test_cells_of_a_table_are_no_formulas():
    rows = [{"name": text, "value": value} for text, value in (("=1+1", -2.5), ("-x", "+3"), ("@a", None), ("\t=1", 1))]
    assert csv_text(("name", "value"), rows) == "name,value\n'=1+1,-2.5\n'-x,+3\n'@a,\n'\t=1,1\n"
