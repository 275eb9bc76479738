"""nnU-Net's layout, seen with another program's eyes."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from PIL import Image

from cardiotrace import __version__
from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import InputError, UsageError, WorkError
from cardiotrace.core.label import ACDC
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.split import Split
from cardiotrace.workflows.nnunet import RECORD, export_nnunet, nnunet_splits
from tests.fake.acdc import write_acdc
from tests.fake.camus import write_camus
from tests.fake.order import SWAP_XY, oblique, place, reorder


def camus(root: Path, **options):
    return DATASETS.make(Choice("camus", options), root)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def pixels(path: Path) -> np.ndarray:
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))


@pytest.fixture
def exported(tmp_path):
    write_camus(tmp_path / "camus", patients=4)
    dataset = camus(tmp_path / "camus")
    done = export_nnunet(dataset, tmp_path / "out", nnunet_splits(dataset))
    return dataset, done


def test_layout_and_description(exported, tmp_path):
    _, done = exported
    out = tmp_path / "out"
    assert (done.training, done.testing, done.kept) == (12, 4, 0)
    described = json.loads((out / "dataset.json").read_text())
    assert described["channel_names"] == {"0": "grey"}
    assert described["labels"] == {"background": 0, "LV": 1, "MYO": 2, "LA": 3}
    assert described["numTraining"] == 12
    assert described["file_ending"] == ".nii.gz"
    for ending in ("Tr", "Ts"):
        cases = {name.removesuffix(".nii.gz") for name in names(out / f"labels{ending}")}
        assert names(out / f"images{ending}") == {f"{case}_0000.nii.gz" for case in cases}
    assert names(out) == {"imagesTr", "labelsTr", "imagesTs", "labelsTs", "dataset.json", "splits_final.json", RECORD}


def test_pixels_are_those_of_the_files(exported, tmp_path):
    name = "patient0002_4CH_ED"
    source = tmp_path / "camus/database_nifti/patient0002" / name
    (image,) = (tmp_path / "out").glob(f"images*/{name}_0000.nii.gz")
    (labels,) = (tmp_path / "out").glob(f"labels*/{name}.nii.gz")
    assert np.array_equal(pixels(image), pixels(Path(f"{source}.nii.gz")))
    assert np.array_equal(pixels(labels), pixels(Path(f"{source}_gt.nii.gz")))
    one, other = (SimpleITK.ReadImage(str(path)) for path in (image, labels))
    for fact in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(one, fact)() == getattr(other, fact)()


def test_no_patient_leaks(exported, tmp_path):
    dataset, _ = exported
    (fold,) = json.loads((tmp_path / "out" / "splits_final.json").read_text())
    official = dataset.splits()["official"]
    for key, part in (("train", official.training), ("val", official.validation)):
        assert {name[:11] for name in fold[key]} == set(part)
        assert len(fold[key]) == 4 * len(part)
    assert {name[:11] for name in names(tmp_path / "out" / "labelsTs")} == set(official.testing)


def test_folds_by_patient_validate_on_each_once(tmp_path):
    write_camus(tmp_path / "camus", patients=5, lists=False)
    dataset = camus(tmp_path / "camus")
    with pytest.raises(InputError, match="no split 'official'"):
        nnunet_splits(dataset)
    export_nnunet(dataset, tmp_path / "out", nnunet_splits(dataset, folds=5))
    folds = json.loads((tmp_path / "out" / "splits_final.json").read_text())
    assert sorted(name for fold in folds for name in fold["val"]) == sorted(
        name.removesuffix(".nii.gz") for name in names(tmp_path / "out" / "labelsTr")
    )
    for fold in folds:
        assert not {name[:11] for name in fold["train"]} & {name[:11] for name in fold["val"]}
        assert len(fold["train"]) == 16
    assert names(tmp_path / "out" / "imagesTs") == set()


def test_an_export_goes_on_where_it_was(exported, tmp_path):
    dataset, _ = exported
    lost, changed = tmp_path / "out/labelsTr/patient0003_2CH_ED.nii.gz", "patient0003_2CH_ES"
    assert lost.exists()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.nii.gz")}
    lost.unlink()
    future = max(before.values()) + 10**10
    os.utime(tmp_path / f"camus/database_nifti/patient0003/{changed}_gt.nii.gz", ns=(future, future))
    done = export_nnunet(dataset, tmp_path / "out", nnunet_splits(dataset))
    assert (done.training, done.testing, done.kept) == (12, 4, 14)
    written = {path.name for path in before if path.stat().st_mtime_ns != before[path]}
    assert written == {f"patient0003_2CH_E{p}{end}" for p in "DS" for end in ("_0000.nii.gz", ".nii.gz")}


def test_images_of_another_split_are_not_left_to_train_on(exported, tmp_path):
    dataset, _ = exported
    with pytest.raises(WorkError, match=r"labelsTs: holds 4 label files that are not of this split"):
        export_nnunet(dataset, tmp_path / "out", nnunet_splits(dataset, folds=4))


def test_the_folders_of_the_data_set_are_not_written_into(exported, tmp_path):
    dataset, _ = exported
    before = {path.name for path in (tmp_path / "camus").rglob("*")}
    patient = tmp_path / "camus" / "database_nifti" / "patient0001"
    (tmp_path / "link").symlink_to(patient)
    for out in (tmp_path / "camus", patient, patient / "nnunet", tmp_path / "link"):
        with pytest.raises(UsageError, match="is a folder of the data set itself"):
            export_nnunet(dataset, out, nnunet_splits(dataset))
    assert {path.name for path in (tmp_path / "camus").rglob("*")} == before


def test_labels_that_were_made_otherwise_are_neither_kept_nor_replaced(exported, tmp_path):
    other = camus(tmp_path / "camus", views=["4CH"])
    with pytest.raises(WorkError, match="holds 16 label files that were made with other options"):
        export_nnunet(other, tmp_path / "out", nnunet_splits(other))
    mine = tmp_path / "mine" / "labelsTr" / "patient0001_2CH_ED.nii.gz"
    mine.parent.mkdir(parents=True)
    mine.write_text("traced by hand")
    with pytest.raises(WorkError, match="holds 1 label files that were made by something else"):
        export_nnunet(exported[0], tmp_path / "mine", nnunet_splits(exported[0]))
    assert mine.read_text() == "traced by hand"
    record = tmp_path / "out" / RECORD
    record.write_text(record.read_text().replace(__version__, "0.0.0"))  # another version may write otherwise
    assert export_nnunet(exported[0], tmp_path / "out", nnunet_splits(exported[0])).kept == 0


def test_who_is_left_out_is_told(exported, tmp_path):
    dataset, done = exported
    assert done.left_out == ("left out: 1 patients of the split are not in the data: patient0999",)
    some = export_nnunet(dataset, tmp_path / "some", [Split(("patient0001",), ("patient0003",))])
    assert some.left_out == ("left out: 2 patients are in no part of the split: patient0002, patient0004",)


def test_frames_of_sequences_are_images_of_their_own(tmp_path):
    write_camus(tmp_path / "camus", patients=3, views=("4CH",), frames=3)
    dataset = camus(tmp_path / "camus", views=["4CH"], sequences=True)
    splits = nnunet_splits(dataset, folds=3)
    assert export_nnunet(dataset, tmp_path / "out", splits).training == 3 * (2 + 3)
    assert export_nnunet(dataset, tmp_path / "out", splits).kept == 15
    source = pixels(tmp_path / "camus/database_nifti/patient0001/patient0001_4CH_half_sequence_gt.nii.gz")
    for frame in range(3):
        path = tmp_path / f"out/labelsTr/patient0001_4CH_half_sequence_frame{frame:03d}.nii.gz"
        assert np.array_equal(np.squeeze(pixels(path)), source[frame])
        assert SimpleITK.ReadImage(str(path)).GetDimension() < 4


def test_stacks_keep_their_axes_and_values_become_consecutive(tmp_path):
    write_acdc(tmp_path / "acdc")
    dataset = DATASETS.make(Choice("acdc"), tmp_path / "acdc")
    patients = sorted({case.patient for case in dataset.cases() if case.read_labels})
    export_nnunet(dataset, tmp_path / "out", nnunet_splits(dataset, folds=len(patients)))
    described = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert described["labels"] == {"background": 0, **{str(key): value for key, value in ACDC.values.items()}}
    path = sorted((tmp_path / "out" / "labelsTr").iterdir())[0]
    image = SimpleITK.ReadImage(str(path))
    assert image.GetDimension() == 3
    assert image.GetSize()[2] > 1


def test_colour_and_masks_of_255(tmp_path):
    for number in range(1, 5):
        pixel = np.random.default_rng(number).integers(0, 255, (8, 9, 3)).astype(np.uint8)
        for folder in ("images", "masks"):
            (tmp_path / "eyes" / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixel).save(tmp_path / f"eyes/images/eye{number}.png")
        Image.fromarray(np.where(pixel[..., 0] > 99, 255, 0).astype(np.uint8)).save(
            tmp_path / f"eyes/masks/eye{number}.png"
        )
    options = {"labels": "masks", "scheme": "vessel255", "channels": 3}
    dataset = DATASETS.make(Choice("folder", options), tmp_path / "eyes")
    export_nnunet(dataset, tmp_path / "out", nnunet_splits(dataset, folds=2))
    described = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert described["labels"] == {"background": 0, "VESSEL": 1}
    assert list(described["channel_names"].values()) == ["red", "green", "blue"]
    channels = [pixels(tmp_path / f"out/imagesTr/eye1_{channel:04d}.nii.gz") for channel in range(3)]
    assert np.array_equal(np.stack(channels, axis=-1), np.array(Image.open(tmp_path / "eyes/images/eye1.png")))
    assert set(np.unique(pixels(tmp_path / "out/labelsTr/eye1.nii.gz"))) == {0, 1}


def test_unlabelled_data(tmp_path, monkeypatch):
    write_camus(tmp_path / "camus", patients=3)
    dataset = camus(tmp_path / "camus")
    cases = [replace(case, read_labels=None) for case in dataset.cases()]
    monkeypatch.setattr(type(dataset), "cases", lambda self: cases)
    with pytest.raises(InputError, match="no labelled image"):
        export_nnunet(dataset, tmp_path / "out", nnunet_splits(dataset))


def test_labels_in_another_voxel_order_are_written_as_their_image_lies(tmp_path):
    write_acdc(tmp_path / "acdc", training=2)
    for path in (tmp_path / "acdc").rglob("*.nii.gz"):
        place(path, oblique((1.4, 1.5, 10)))
    dataset = DATASETS.make(Choice("acdc"), tmp_path / "acdc")
    splits = nnunet_splits(dataset, folds=2)
    export_nnunet(dataset, tmp_path / "before", splits)
    for path in (tmp_path / "acdc").rglob("*_gt.nii.gz"):
        reorder(path, SWAP_XY)
    export_nnunet(dataset, tmp_path / "after", splits)
    for name in names(tmp_path / "before/labelsTr"):
        np.testing.assert_array_equal(
            pixels(tmp_path / "after/labelsTr" / name), pixels(tmp_path / "before/labelsTr" / name)
        )
