"""The package itself is not there: a stand-in answers with the reference labels of the images it was given."""

import importlib.util
import json
import stat
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from benchmarks.nnunet_package import DRIVER, brought_back, main, squares
from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, VESSEL255
from cardiotrace.evaluation.table import read_case_table
from cardiotrace.io import read_labels
from tests.fake.camus import write_camus

STAND_IN = """#!{python}
import json, os, pathlib, sys
stages, stage = pathlib.Path(sys.argv[1]).parent, sys.argv[2]
with open(stages / "calls.txt", "a") as calls:
    print(stage, os.environ["nnUNet_n_proc_DA"], os.environ["OMP_NUM_THREADS"], file=calls)
planned = {{"batch_size": 40, "patch_size": [64, 64], "normalization_schemes": ["ZScore"], "architecture": {{}}}}
if stage == "plan":
    (stages / "planned.json").write_text(json.dumps(planned))
elif stage == "train":
    (stages / "network.json").write_text('{{"parameters": 7}}')
    (stages / "epochs.jsonl").write_text('{{"epoch": 1}}\\n{{"epoch": 2}}\\n')
elif stage == "predict":
    import numpy as np
    import SimpleITK
    (stages / "predicted").mkdir()
    for path in pathlib.Path(os.environ["nnUNet_raw"]).glob("*/labelsTs/*.nii.gz"):
        labels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
        probabilities = (labels == np.arange(4)[:, None, None, None]).astype(np.float32)
        np.savez_compressed(stages / "predicted" / path.name.replace(".nii.gz", ".npz"), probabilities=probabilities)
elif stage == "versions":
    (stages / "versions.json").write_text('{{"nnunetv2": "9.9"}}')
"""


@pytest.fixture
def call(tmp_path):
    write_camus(tmp_path / "camus", patients=4, views=("4CH",))
    python = tmp_path / "python"
    python.write_text(STAND_IN.format(python=sys.executable))
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return ["--python", str(python), "--data", str(tmp_path / "camus"), "--fold", "1", "--out", str(tmp_path / "run"),
            "--size", "32", "--threads", "2"]  # fmt: skip


@pytest.fixture
def done(call, tmp_path):
    main(call)
    return tmp_path / "run"


def test_squares_are_written_with_pixels_that_nnunet_leaves_alone(done):
    raw = done / "nnunet/raw/Dataset001_camus"
    image = SimpleITK.ReadImage(str(raw / "imagesTs/patient0002_4CH_ED_0000.nii.gz"))
    assert (image.GetSize(), image.GetSpacing()) == ((32, 32), (1.0, 1.0))
    assert json.loads((raw / "splits_final.json").read_text()) == [
        {"train": [f"patient{n:04d}_4CH_{phase}" for n in (1, 4) for phase in ("ED", "ES")],
         "val": ["patient0003_4CH_ED", "patient0003_4CH_ES"]}
    ]  # fmt: skip


def test_predictions_are_scored_on_the_images_own_grids(done, tmp_path):
    for name in ("testing", "testing_postprocessed"):
        table = read_case_table(done / f"{name}.json")
        assert table.cases == ("patient0002_4CH_ED", "patient0002_4CH_ES")
        assert table.problems == ()
        assert all(0.93 < row.score("dice") < 1 for row in table.rows), "the squares are coarser than the images"
        assert table.facts["predicted"] == "nnU-Net's own package, nnunetv2 9.9"
    name = "patient0002_4CH_ED"
    written = read_labels(done / f"labels/{name}_labels.nii.gz", CAMUS)
    reference = read_labels(tmp_path / f"camus/database_nifti/patient0002/{name}_gt.nii.gz", CAMUS)
    assert written.array.shape == reference.array.shape
    assert written.spacing_mm == reference.spacing_mm


def test_each_stage_is_timed_and_done_once(done, call):
    result = json.loads((done / "result.json").read_text())
    assert list(result["stages"]) == ["plan", "preprocess", "train", "predict"]
    assert all(times["wall_s"] >= 0 and times["cpu_s"] >= 0 for times in result["stages"].values())
    assert (result["steps"], result["batch_size"], result["mirroring"]) == (430, 10, True)
    assert result["images"] == {"training and validation": 6, "testing": 2}
    assert (result["parameters"], len(result["epochs"])) == (7, 2)
    main(call)
    calls = (done / "nnunet/stages/calls.txt").read_text().splitlines()
    assert calls == ["plan 2 2", "preprocess 0 2", "train 0 2", "predict 0 2", "versions 0 2", "versions 0 2"]


def test_another_budget_needs_another_folder(done, call):
    with pytest.raises(WorkError, match="another steps, mirroring"):
        main([*call, "--steps", "5", "--no-mirroring"])


def test_failed_stage_names_its_log(call, tmp_path):
    Path(call[1]).write_text(f"#!{sys.executable}\nimport sys\nprint('no torch')\nsys.exit(1)\n")
    with pytest.raises(WorkError, match=r"plan\.log: nnU-Net's stage 'plan' failed"):
        main(call)
    assert (tmp_path / "run/nnunet/stages/plan.log").read_text() == "no torch\n"


def test_brought_back_in_the_data_sets_own_values():
    cine = Image(np.zeros((1, 1, 8, 6), np.uint8), Geometry.of_spacing((1.0, 0.5, 0.5)))
    probabilities = np.zeros((2, 1, 4, 4), np.float32)
    probabilities[0, :, :, :2] = probabilities[1, :, :, 2:] = 1
    labels = brought_back(cine, [probabilities], squares(4), VESSEL255)
    assert labels.array[0, 0].tolist() == [[0, 0, 0, 255, 255, 255]] * 8
    with pytest.raises(InputError, match="of 2 frames"):
        brought_back(cine, [probabilities] * 2, squares(4), VESSEL255)


@pytest.fixture
def stages(tmp_path, monkeypatch):
    """The file that nnU-Net runs, with a trainer of nothing in place of nnU-Net's."""

    class Trainer:
        def __init__(self, plans, configuration, fold, dataset_json, device):
            self.inference_allowed_mirroring_axes = None
            self.current_epoch = 0

        def on_train_epoch_start(self):
            self.num_iterations_per_epoch = 250

        def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self):
            self.inference_allowed_mirroring_axes = (0, 1)
            return 1.0, False, (64, 64), (0, 1)

    parts = ["nnunetv2", "training", "nnUNetTrainer", "nnUNetTrainer"]
    for end in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:end]), types.ModuleType(parts[end - 1]))
    sys.modules[".".join(parts)].nnUNetTrainer = Trainer
    path = tmp_path / DRIVER.name
    path.write_text(DRIVER.read_text())
    spec = importlib.util.spec_from_file_location("stages", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def trainer(stages, **budget):
    given = {"steps": 430, "epochs": 6, "validation_steps": 10, "mirroring": True, **budget}
    (stages.HERE / "settings.json").write_text(json.dumps(given))
    return stages.BudgetTrainer({}, "2d", 0, {}, None)


def test_trainer_takes_as_many_steps_as_it_is_given(stages):
    made = trainer(stages)
    steps = []
    for epoch in range(made.num_epochs):
        made.current_epoch = epoch
        made.on_train_epoch_start()
        steps.append(made.num_iterations_per_epoch)
    assert steps == [71, 72, 72, 71, 72, 72]


def test_mirroring_is_off_in_training_and_in_use(stages):
    name = "configure_rotation_dummyDA_mirroring_and_inital_patch_size"
    as_nnunet = trainer(stages)
    assert getattr(as_nnunet, name)()[-1] == as_nnunet.inference_allowed_mirroring_axes == (0, 1)
    without = trainer(stages, mirroring=False)
    assert getattr(without, name)()[-1] is without.inference_allowed_mirroring_axes is None
