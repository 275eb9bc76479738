"""Folders of figures: what is ours is replaced, what is somebody else's stays."""

import pytest

from cardiotrace.core.errors import UsageError
from cardiotrace.workflows.services.figure_folder import figures_in, require_ours


def draw(folder, **texts):
    with figures_in(folder, option="--plots") as place:
        for name, text in texts.items():
            (place / f"{name}.png").write_text(text)


def shown(folder):
    return {path.name: path.read_text() for path in folder.glob("[!.]*")}


def test_our_own_figures_are_replaced_and_those_of_another_run_stay(tmp_path):
    folder = tmp_path / "plots"
    require_ours(folder, option="--plots")
    draw(folder, dice="1", hausdorff="1")
    draw(folder, dice="2")
    assert shown(folder) == {"dice.png": "2", "hausdorff.png": "1"}


def test_a_file_of_somebody_else_is_kept_and_nothing_is_drawn(tmp_path):
    (tmp_path / "dice.png").write_text("mine")
    (tmp_path / "notes.txt").write_text("mine too")
    with pytest.raises(UsageError, match=r"dice\.png: is no known result: kept\nchoose another --plots\."):
        draw(tmp_path, dice="1", hausdorff="1")
    assert shown(tmp_path) == {"dice.png": "mine", "notes.txt": "mine too"}


def test_what_is_certain_to_be_written_is_looked_for_before_the_work(tmp_path):
    (tmp_path / "index.md").write_text("my pages")
    require_ours(tmp_path, option="--gallery")
    with pytest.raises(UsageError, match="choose another --gallery"):
        require_ours(tmp_path, option="--gallery", certain=("index.md",))


def test_what_was_changed_by_hand_is_looked_for_before_the_work(tmp_path):
    draw(tmp_path, dice="1")
    require_ours(tmp_path, option="--plots")
    (tmp_path / "dice.png").write_text("with arrows")
    with pytest.raises(UsageError, match="was changed by hand"):
        require_ours(tmp_path, option="--plots")


def test_a_failed_drawing_leaves_what_was_there(tmp_path):
    draw(tmp_path, dice="1")
    with pytest.raises(TypeError):
        draw(tmp_path, dice="2", hausdorff=None)  # the first is drawn, the second cannot be
    assert shown(tmp_path) == {"dice.png": "1"}
