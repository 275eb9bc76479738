"""Copies of DICOM studies without what tells whose they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.core.text import csv_text, natural_order
from cardiotrace.io import write_text
from cardiotrace.io.dicom import fact
from cardiotrace.io.dicom.anonymous.clock import Clock
from cardiotrace.io.dicom.anonymous.copy import anonymous_copy, write_copy
from cardiotrace.io.dicom.anonymous.header import Cleaner, Removed
from cardiotrace.io.dicom.anonymous.pixels import treatment_of
from cardiotrace.io.dicom.anonymous.pseudonym import Pseudonyms, kept_pseudonyms, new_pseudonyms
from cardiotrace.io.dicom.files import LeftOut, find_files
from cardiotrace.io.dicom.object_file import identity_of
from cardiotrace.io.dicom.source import DicomFile
from cardiotrace.io.dicom.visit import why_mixed
from cardiotrace.io.results import HOLDS, IMAGES, MANIFEST, REMOVED, Staging, staged_results
from cardiotrace.workflows.services.batch import BatchResult, Tell, for_each_exam, refuse_among_originals, tell_nobody

_COLUMNS = ("tag", "keyword", "count", "what")


@dataclass(frozen=True, kw_only=True)
class AnonymiseConfig:
    """Which studies, and to where."""

    exams: tuple[Path, ...]
    """DICOM files, folders, DICOMDIRs or archives."""
    out: Path = Path("out")
    """Folder for the copies; one folder per study is made in it."""
    key: Path | None = None
    """File with the key that new identifiers depend on, made where there is none: the same key gives the same
    identifiers. Whoever has it can try out names; keep it apart. Without one nothing can be made again."""
    keep_screens: bool = False
    """Copy also what may hold names in its pixels: secondary captures, screens, ultrasound without a region."""
    overwrite: bool = False
    """Replace copies that were changed by hand; never originals."""

    def __post_init__(self) -> None:
        if not self.exams:
            raise UsageError("no EXAM is given", remedy="name DICOM files, folders or archives.")
        if self.key is not None and self.out.resolve() in self.key.resolve().parents:
            raise UsageError("--key lies among the copies", where=self.key, remedy="keep it where they do not go.")
        for path in self.exams:
            refuse_among_originals(self.out, path)


@dataclass(frozen=True)
class Anonymised:
    """The copy of one study."""

    name: str
    """What the person is called now, and which visit it is."""
    folder: Path
    files: tuple[str, ...]
    """Copies, by their paths in the folder."""
    blackened: int
    """Copies whose pixels are black outside a region."""
    screens: int
    """Copies that may hold names in their pixels."""
    removed: int
    """Kinds of elements that the copies lack."""
    left_out: tuple[str, ...] = ()
    """Objects that were not copied, with the reason, under their old names."""
    gone: int = 0
    """Copies of an earlier run that were not made again."""


def anonymise(
    config: AnonymiseConfig, reporter: ProgressReporter = SILENT, tell: Tell = tell_nobody
) -> BatchResult[Anonymised]:
    """Copy studies without what tells whose they are.

    Args:
        config: which studies, and to where.
        reporter: told how far the work is.
        tell: called with each result or failure as soon as a study ends.

    Returns:
        What was copied, and what failed and why; a failed study leaves nothing behind.

    Raises:
        InputError: the key can be none.
        WorkError: a key cannot be made.
    """
    studies = _studies(config.exams)
    pseudonyms = new_pseudonyms() if config.key is None else kept_pseudonyms(config.key)

    def one(study: _Study) -> Anonymised:
        return _copied(study, config, pseudonyms)

    return for_each_exam(studies, one, reporter, title="anonymising", tell=tell)


@dataclass
class _Study:
    """The objects of one visit of one person."""

    path: Path
    """Where it was asked for."""
    files: list[DicomFile] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def uid(self) -> str:
        return fact.text(self.files[0].header, "StudyInstanceUID")


def _studies(paths: Sequence[Path]) -> list[_Study]:
    """The studies at the paths; where there are none, one without files, whose copying fails."""
    studies: dict[tuple[str, str], _Study] = {}
    others: list[_Study] = []
    for path in paths:
        found = find_files(path, lambda folder: (folder / MANIFEST).exists())
        told = [*found.left_out, *_told([other.name for other in found.others])]
        first = None
        for file in found.files:
            key = (identity_of(file.header), fact.text(file.header, "StudyInstanceUID"))
            study = studies.setdefault(key, _Study(path))
            study.files.append(file)
            first = first or study
        if first is None:
            others.append(_Study(path, left_out=told))
        else:
            first.left_out += told
    return [*studies.values(), *others]


def _told(names: Sequence[str]) -> tuple[str, ...]:
    left_out = LeftOut()
    for name in names:
        left_out.add(name, "no DICOM")
    return left_out.lines()


def _copied(study: _Study, config: AnonymiseConfig, pseudonyms: Pseudonyms) -> Anonymised:
    """The copy of a study, put in its place when it is complete.

    Raises:
        InputError: there is nothing to be copied, or the objects may be of several people.
    """
    if not study.path.exists():
        raise InputError("there is no such file or folder", where=study.path, remedy="check the path.")
    if not study.files:
        why = "; ".join(study.left_out[:2]) or "convert reads other formats."
        raise InputError("holds no DICOM, of which alone copies are made", where=study.path, remedy=why)
    if mixed := why_mixed([file.header for file in study.files]):
        raise InputError(mixed, where=study.path, remedy="see to it that each has a number of their own.")
    name = f"{pseudonyms.patient(study.files[0].header)}-{pseudonyms.study(study.uid)}"
    with staged_results(config.out / name, overwrite=config.overwrite) as staging:
        staging.inputs.extend({file.path for file in study.files})
        staging.made[HOLDS] = IMAGES
        work = _Work(study, config, pseudonyms, staging)
        work.all()
    before = {copy for copy in staging.before.files if copy.endswith(".dcm")}
    return Anonymised(
        name,
        staging.target,
        tuple(work.files),
        work.blackened,
        work.screens,
        len({row["tag"] for row in work.removed.rows()}),
        (*study.left_out, *work.left_out.lines()),
        len(before - set(work.files)),
    )


@dataclass
class _Work:
    """One study in the making."""

    study: _Study
    config: AnonymiseConfig
    pseudonyms: Pseudonyms
    staging: Staging
    removed: Removed = field(default_factory=Removed)
    left_out: LeftOut = field(default_factory=LeftOut)
    files: list[str] = field(default_factory=list)
    blackened: int = 0
    screens: int = 0

    def all(self) -> None:
        """Copy all objects, and list what the copies lack.

        Raises:
            InputError: none can be copied.
        """
        cleaner = Cleaner(self.pseudonyms, Clock.of(file.header for file in self.study.files))
        for number, series in enumerate(_series(self.study.files), start=1):
            count = 0
            for file in series:
                count += self.copy(file, cleaner, f"series-{number:03d}-{count + 1:04d}.dcm")
        if not self.files:
            reasons = "; ".join(self.left_out.lines()[:3])
            raise InputError(f"none of its {len(self.study.files)} objects can be copied", remedy=reasons)
        write_text(self.staging.folder / REMOVED, csv_text(_COLUMNS, self.removed.rows()))

    def copy(self, file: DicomFile, cleaner: Cleaner, name: str) -> bool:
        """Copy one object under a name, and say whether it may be copied."""
        try:
            treatment = treatment_of(file, keep_screens=self.config.keep_screens)
            copy = anonymous_copy(file, cleaner, treatment, self.removed)
        except InputError as error:
            self.left_out.add(file.name, error.what)
            return False
        write_copy(copy, self.staging.folder / name)
        self.files.append(name)
        self.blackened += treatment.part is not None and not treatment.may_tell
        self.screens += treatment.may_tell
        return True


def _series(files: Sequence[DicomFile]) -> Iterator[list[DicomFile]]:
    """Series by their number, objects of each by theirs; where these do not tell, by their identifiers."""
    groups: dict[str, list[DicomFile]] = {}
    for file in files:
        groups.setdefault(fact.text(file.header, "SeriesInstanceUID"), []).append(file)
    numbers = {uid: fact.number(group[0].header, "SeriesNumber") or 0 for uid, group in groups.items()}
    for uid in sorted(groups, key=lambda uid: (numbers[uid], natural_order(uid))):
        yield sorted(groups[uid], key=_place)


def _place(file: DicomFile) -> tuple[float, list[tuple[int, int, str]]]:
    return fact.number(file.header, "InstanceNumber") or 0, natural_order(fact.text(file.header, "SOPInstanceUID"))
