"""Files below a folder."""

from cardiotrace.datasets.walk import files_below


def test_links_are_followed_and_loops_end(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / "store" / name).mkdir(parents=True)
        (tmp_path / "store" / name / f"{name}_gt.nii.gz").write_text("")
    study = tmp_path / "study"
    study.mkdir()
    (study / "a").symlink_to(tmp_path / "store" / "a")
    (study / "b.nii.gz").symlink_to(tmp_path / "store" / "b" / "b_gt.nii.gz")
    (study / "again").symlink_to(".")
    (study / "too").symlink_to(study)
    assert [path.relative_to(study).as_posix() for path in files_below(study)] == ["a/a_gt.nii.gz", "b.nii.gz"]
