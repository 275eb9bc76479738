"""`show --figures`: sheets of stacks and animations of cines, before anything is traced."""

from PIL import Image

from cardiotrace.cli.main import main
from tests.fake.acdc import write_acdc
from tests.fake.mnms import write_mnms2


def test_stacks_and_cines_are_drawn(tmp_path, capsys):
    write_acdc(tmp_path, training=1, videos=True)
    out = tmp_path / "out"
    words = ["show", str(tmp_path / "database/training/patient001"), "--figures", str(out)]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "patient001" in printed
    assert "ED=0, ES=11" in printed
    assert sorted(path.name for path in out.glob("[!.]*")) == [
        "patient001_4d.gif", "patient001_4d_ED.png", "patient001_4d_ES.png", "patient001_frame01_ED.png",
        "patient001_frame12_ES.png",
    ]  # fmt: skip
    with Image.open(out / "patient001_4d.gif") as gif, Image.open(out / "patient001_frame01_ED.png") as sheet:
        assert gif.n_frames == 14
        assert gif.width > 1.5 * gif.height  # four slices in a row, not one
        assert sheet.width > 3 * sheet.height
    assert main(words) == 0  # its own images are replaced


def test_a_planar_cine(tmp_path):
    write_mnms2(tmp_path, patients=(1,))
    assert main(["show", str(tmp_path / "dataset/001"), "--figures", str(tmp_path / "out")]) == 0
    names = {path.name for path in (tmp_path / "out").glob("[!.]*")}
    assert names == {
        "001_LA_CINE.gif", "001_LA_CINE.png", "001_LA_ED.png", "001_LA_ES.png", "001_SA_CINE.gif", "001_SA_CINE.png",
        "001_SA_ED.png", "001_SA_ES.png",
    }  # fmt: skip
