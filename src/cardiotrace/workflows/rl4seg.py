"""RL4Seg as a training: its turns in place of one loop; a run's folder that ends with a policy and what judges it."""

from cardiotrace.clinical.anatomy.criterion import Axis
from cardiotrace.clinical.anatomy.limits import preset
from cardiotrace.core.config import to_plain
from cardiotrace.core.contract import ENVIRONMENT
from cardiotrace.core.errors import ConfigError, InputError, UsageError
from cardiotrace.core.exam import Case
from cardiotrace.core.progress import counted
from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.core.terms import Modality
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import Split
from cardiotrace.inference.corrector import Corrector
from cardiotrace.inference.localiser import Localiser
from cardiotrace.inference.spec import JudgeSpec
from cardiotrace.inference.zoo import load_model
from cardiotrace.io import write_bytes, write_json
from cardiotrace.learning.export import export_network
from cardiotrace.learning.rl4seg.answer import Anatomy, PixelSize
from cardiotrace.learning.rl4seg.rewards import CaseKey, case_key
from cardiotrace.learning.rl4seg.shapes import ValidShapes
from cardiotrace.learning.rl4seg.stage import require_planes, reward_recipe
from cardiotrace.learning.rl4seg.turns import Taught, Turns, first_iteration, taught_in_turns
from cardiotrace.learning.training.adaptation.domains import Adaptation
from cardiotrace.learning.training.adaptation.rl4seg import RL4Seg
from cardiotrace.learning.training.environment import read_environment
from cardiotrace.learning.training.folder import RunFolder, check_same_run
from cardiotrace.learning.training.hardware import Hardware
from cardiotrace.learning.training.recipe import Recipe
from cardiotrace.learning.training.run import CheckedRun, TrainingData, TrainingResult, as_seen, write_head
from cardiotrace.preprocessing import Preprocessing


def trained_in_turns(
    run: CheckedRun,
    data: TrainingData,
    dataset: Dataset,
    *,
    resume: bool,
    hardware: Hardware,
    reporter: ProgressReporter,
) -> TrainingResult:
    """Train as `rl4seg` does; the run's folder ends as that of any training, with the last policy that was kept.

    Args:
        run: of a recipe that adapts by `rl4seg`.
        data: of its data set.
        dataset: tells views and sizes of pixels.
        resume: go on with what was finished of an earlier command.
        hardware: one device.
        reporter: told of progress.

    Raises:
        ConfigError: the recipe asks for what RL4Seg does not work on.
        UsageError: the folder holds a run and `resume` is off, or a run of another recipe or other patients.
        InputError: the corrector does not fit, or the data cannot be used.
        WorkError: the supervised training diverged, or nothing can be written.
    """
    recipe, adaptation = run.recipe, run.recipe.adaptation
    settings = recipe.adaptation_config
    assert adaptation is not None
    assert isinstance(settings, RL4Seg)  # by it this function was chosen
    require_planes(recipe)
    reward_recipe(recipe, settings)  # a loss that is not there is refused before anything is trained
    require_begun_alike(run.folder, recipe, data.split, resume=resume)
    if hardware.processes > 1:
        raise ConfigError("rl4seg trains in one process", remedy="leave out --processes.")
    shapes = ValidShapes.of(Corrector.of(load_model(settings.corrector)), _anatomy(dataset, adaptation, settings))
    data = as_seen(data, adaptation)
    sizes = _pixel_sizes(data, dataset, recipe.preprocessing, reporter)
    write_head(run, data, "")
    taught = taught_in_turns(Turns(run, data, adaptation, settings, shapes, sizes, hardware, reporter))
    _write_judge(run.folder, taught, recipe)
    _tell(run.folder, taught)
    return taught.result


def _anatomy(dataset: Dataset, adaptation: Adaptation, settings: RL4Seg) -> Anatomy:
    """How planes of source and targets cut the heart: all of them alike."""
    cases = [case for case in dataset.cases() if adaptation.is_source(case) or adaptation.is_target(case)]
    axes = {Axis.of(case.view) for case in cases}
    (axis,) = axes if len(axes) == 1 else (None,)
    if axis is None:
        views = ", ".join(sorted({str(case.view) for case in cases}))
        raise InputError(
            f"rl4seg judges answers by criteria of one axis of the heart, and the images show {views}",
            remedy="choose views of one axis.",
        )
    # As where labels are judged anywhere: apical views of an echo are shown with the apex at the top.
    is_upright = axis is Axis.LONG and all(case.modality is Modality.US for case in cases)
    return Anatomy(dataset.scheme, axis, preset(settings.limits), is_upright)


def _pixel_sizes(
    data: TrainingData, dataset: Dataset, preprocessing: Preprocessing, reporter: ProgressReporter
) -> dict[CaseKey, PixelSize | None]:
    """Size of the pixels of the network's grid, by case; None where that of the image is not known."""
    patients = {*data.split.training, *data.split.validation}
    samples = [sample for sample in data.packed.samples if sample.patient in patients]
    sizes: dict[CaseKey, PixelSize | None] = {
        case_key(sample): (sample.pixel_mm[0], sample.pixel_mm[1]) for sample in samples if sample.pixel_mm
    }
    asked = {case_key(sample) for sample in samples} - sizes.keys()
    cases = [case for case in dataset.cases() if (case.patient, case.name) in asked]
    localiser = None if data.localiser is None else Localiser.of(data.localiser)
    if cases:
        with reporter.stage("sizes of pixels") as on_progress:
            for case in counted(cases, on_progress):
                sizes[case.patient, case.name] = _pixel_size(case, preprocessing, localiser)
    return sizes


def _pixel_size(case: Case, preprocessing: Preprocessing, localiser: Localiser | None) -> PixelSize | None:
    image = case.read_image()
    if image.spacing_mm is None:
        return None
    height_mm, width_mm = image.spacing_mm[1:]
    centre = localiser.centre(image) if localiser is not None and preprocessing.needs_centre else None
    rows, columns = preprocessing.transform_for(image.grid_shape[2:], (height_mm, width_mm), centre).axes
    return rows.scale * height_mm, columns.scale * width_mm


def require_begun_alike(folder: RunFolder, recipe: Recipe, split: Split, *, resume: bool) -> None:
    """Refuse a folder in which iterations were begun that must not be gone on with.

    Raises:
        UsageError: `resume` is off, or they are of another recipe or other patients.
    """
    # Until the last iteration is over there is no checkpoint by which any training is known to have begun.
    if not (folder.recipe.exists() and first_iteration(folder).exists()):
        return
    if not resume:
        raise UsageError(
            "holds a run already", where=folder.path, remedy="continue it with --resume, or choose another."
        )
    check_same_run(folder, recipe, split)


def _write_judge(folder: RunFolder, taught: Taught, recipe: Recipe) -> None:
    """The reward network as the model file will hold it; none where no policy was kept that learned from one."""
    judged = taught.judged
    if judged is None:
        return
    graph = export_network(judged.judge.network, recipe.preprocessing, examples=judged.examples)
    facts = JudgeSpec(judged.judge.temperature, judged.iteration.pairs, judged.iteration.calibration_error)
    write_bytes(folder.judge, graph)
    write_json(folder.judge_facts, to_plain(facts))


def _tell(folder: RunFolder, taught: Taught) -> None:
    """What came of the iterations, where the model file will tell it."""
    environment = read_environment(folder.environment)
    write_json(folder.environment, ENVIRONMENT.stamp(environment | {"pseudo_labels": taught.told()}))
