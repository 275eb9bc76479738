"""Any folder of images beside a folder of masks."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.exam import Case, Exam, ExamImage
from cardiotrace.core.geometry import Spacing
from cardiotrace.core.image import Image
from cardiotrace.core.label import SCHEMES, LabelScheme, scheme_from_mapping
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.dataset import FilePair, MirrorAxis, exam_named, existing_root, nothing_found
from cardiotrace.datasets.file_case import CaseFacts, file_case, with_field_of_view, with_second_labels
from cardiotrace.datasets.split import Split, read_split
from cardiotrace.io import read_image, read_metadata
from cardiotrace.io.colour import STRONG_SHARE, is_photograph, strong_share
from cardiotrace.io.formats import suffix_of
from cardiotrace.io.options import ReadOptions
from cardiotrace.io.stored import ThirdAxis

LOOKED_AT = 20
"""Images that are read to see whether a data set is in colour."""


@dataclass(frozen=True)
class FolderConfig:
    """A folder of images and a folder of masks of the same names."""

    images: str = "images"
    """Folder of the images, in the root."""
    labels: str = "labels"
    """Folder of the masks, in the root; may be the folder of the images if `label_ending` tells them apart."""
    label_ending: str = ""
    """What follows the image's name in the mask's, such as "_gt"."""
    second_labels: str = ""
    """Folder of another observer's masks, in the root, named as the first's."""
    fields_of_view: str = "fields_of_view"
    """Folder of images, in the root, that are bright where pixels count; named as the images. It may be missing."""
    scheme: str = ""
    """A known label scheme, such as "camus" or "vessel255"; else give `values`."""
    values: Mapping[str, int] = field(default_factory=dict)
    """Value of each structure in the masks, such as {VESSEL = 255}."""
    view: View = View.UNKNOWN
    """How the heart, or the eye, is looked at."""
    modality: Modality = Modality.UNKNOWN
    """How the images were made: US, MR or photograph."""
    patient_pattern: str = r"(.+)"
    """Regular expression on the image's name whose first group is the patient; by default each image is one."""
    spacing_mm: Spacing | None = None
    """(depth, height, width), mm, where the files do not say."""
    third_axis: ThirdAxis = "auto"
    """What the third of three axes is."""
    channels: Literal["auto", 1, 3] = "auto"
    """1 grey, also of coloured files, 3 colour; "auto" as the images are: the heart in grey, photographs in colour."""
    mirror_axes: tuple[MirrorAxis, ...] = ()
    """Image axes that augmentation may mirror."""
    splits: tuple[str, ...] = ()
    """JSON files with splits, in the root; named after the files."""
    licence: str = ""
    """Terms of use, for the card of models trained on it."""
    citation: str = ""
    """The publication to cite."""

    def __post_init__(self) -> None:
        if bool(self.scheme) == bool(self.values):
            raise ConfigError("give either `scheme` or `values`", remedy=f"known schemes: {', '.join(SCHEMES)}.")
        if self.scheme and self.scheme not in SCHEMES:
            raise ConfigError(f"scheme: there is no {self.scheme!r}", remedy=f"choose from: {', '.join(SCHEMES)}.")
        try:
            groups = re.compile(self.patient_pattern).groups
        except re.error as error:
            raise ConfigError(f"patient_pattern: {error}") from None
        if groups < 1:
            raise ConfigError("patient_pattern: needs a group in parentheses", remedy=r"such as (patient\d+)_.*")


@dataclass(frozen=True)
class Folder:
    """A data set made of files alone: an image and a mask belong together if their names agree.

    Args:
        root: folder that holds the folder of images and the folder of masks.
        config: what they are called and what they hold.

    Raises:
        InputError: the root is missing or holds no images.
    """

    root: Path
    config: FolderConfig

    def __post_init__(self) -> None:
        root = existing_root(self.root, expected="the folder that holds the images and the masks")
        object.__setattr__(self, "root", root)
        if not self._files(self.config.images):
            raise nothing_found(
                self.root / self.config.images, "images", expected="`root` and `images` so that they name the images"
            )

    @property
    def name(self) -> str:
        """The root's own name."""
        return self.root.resolve().name

    @cached_property
    def scheme(self) -> LabelScheme:
        """The scheme that was named, or one of the values that were given."""
        if self.config.scheme:
            return SCHEMES[self.config.scheme]
        return scheme_from_mapping(self.name, self.config.values)

    @property
    def views(self) -> tuple[View, ...]:
        """The one view that was given."""
        return (self.config.view,)

    @property
    def modality(self) -> Modality:
        """As configured."""
        return self.config.modality

    @property
    def mirror_axes(self) -> tuple[MirrorAxis, ...]:
        """As configured."""
        return self.config.mirror_axes

    @property
    def channels(self) -> int:
        """As configured, else as the images are: a few of them are read, spread over the data set.

        Raises:
            InputError: some are coloured and others are not.
        """
        return self._channels

    @cached_property
    def _channels(self) -> int:
        if self.config.channels != "auto":
            return self.config.channels
        seen = self._colours_seen() if self._may_be_coloured else {}
        if len(set(seen.values())) > 1:
            grey, coloured = (next(name for name, kind in seen.items() if kind is wanted) for wanted in (False, True))
            raise InputError(
                f"{coloured} is in colour and {grey} is not",
                where=self.root / self.config.images,
                remedy="set channels = 3 to use the colours, or channels = 1 to use the brightness of all.",
            )
        return 3 if any(seen.values()) else 1

    def _colours_seen(self) -> dict[str, bool]:
        """Whether each of a few images, spread over the data set, is in colour."""
        paths = sorted(self._files(self.config.images).values())
        seen: dict[str, bool] = {}
        for path in paths[:: -(-len(paths) // LOOKED_AT)]:
            with suppress(InputError):  # said when the case is read
                is_stored_in_colour = read_metadata(path)["channels"] == 3
                seen[path.name] = is_stored_in_colour and _is_coloured(read_image(path, self._read_as(3)))
        return seen

    @property
    def _may_be_coloured(self) -> bool:
        is_unknown = self.config.view is View.UNKNOWN and self.config.modality is Modality.UNKNOWN
        return is_unknown or is_photograph(self.config.view, self.config.modality)

    @property
    def licence(self) -> str:
        """As configured."""
        return self.config.licence or "unknown"

    @property
    def citation(self) -> str:
        """As configured."""
        return self.config.citation

    def cases(self) -> list[Case]:
        """One per image, in order of name; the phase is ED or ES where the name ends so."""
        second, inside = self._files(self.config.second_labels), self._files(self.config.fields_of_view)
        cases = []
        for pair in self._items():
            if pair.image.exists():
                traced_again = second.get(f"{pair.name}{self.config.label_ending}")
                case = with_second_labels(self._case(pair), traced_again, self, self._read_options)
                cases.append(with_field_of_view(case, inside.get(pair.name), self.root))
        return cases

    def exams(self) -> list[str]:
        """Patients, as `patient_pattern` finds them."""
        return sorted({self._patient(pair.name) for pair in self._items() if pair.image.exists()})

    def exam(self, name: str) -> Exam:
        """All images of a patient.

        Raises:
            InputError: no such patient, or an image cannot be read.
        """
        patient = exam_named(name, self.exams(), self.name)
        pairs = [pair for pair in self._items() if self._patient(pair.name) == patient and pair.image.exists()]
        return Exam(patient, tuple(self._exam_image(pair) for pair in pairs))

    def splits(self) -> Mapping[str, Split]:
        """The splits of the configured files.

        Raises:
            InputError: a file is no split, leaks, or names a patient that is not there.
        """
        paths = [self.root / name for name in self.config.splits]
        return {path.stem: read_split(path).require(self.exams(), where=path) for path in paths}

    def pairs(self) -> list[FilePair]:
        """Image and mask of every name of which one at least is on disk."""
        return list(self._items())

    def _items(self) -> Iterator[FilePair]:
        images, masks = self._images_by_name, self._masks_by_name
        for name in sorted({*images, *masks}):
            image, mask = images.get(name), masks.get(name)
            # Where one is missing its name is told after the other's, for the message.
            if image is None:
                image = self.root / self.config.images / f"{name}{_suffix(masks[name])}"
            elif mask is None:
                mask = self.root / self.config.labels / f"{name}{self.config.label_ending}{_suffix(image)}"
            yield FilePair(name, image, mask)

    @property
    def _images_by_name(self) -> dict[str, Path]:
        images, ending = self._files(self.config.images), self.config.label_ending
        if self.config.labels != self.config.images or not ending:
            return images
        return {stem: path for stem, path in images.items() if not stem.endswith(ending)}

    @property
    def _masks_by_name(self) -> dict[str, Path]:
        ending = self.config.label_ending
        files = self._files(self.config.labels)
        return {stem.removesuffix(ending): path for stem, path in files.items() if stem.endswith(ending)}

    def _files(self, folder: str) -> dict[str, Path]:
        place = self.root / folder
        if not folder or not place.is_dir():
            return {}
        found: dict[str, Path] = {}
        for file in sorted(place.iterdir()):
            stem = file.name.removesuffix(_suffix(file))
            if not _suffix(file) or file.name.startswith("."):
                continue
            if stem in found:
                raise InputError(
                    f"{found[stem].name} and {file.name} have one name: which of them is meant?",
                    where=place,
                    remedy="keep one of them there.",
                )
            found[stem] = file
        return found

    def unused(self) -> list[str]:
        """What lies in the folders of images and masks and is read by nothing, with the reason."""
        folders = dict.fromkeys(filter(None, (self.config.images, self.config.labels, self.config.second_labels)))
        entries = [
            entry for folder in folders if (self.root / folder).is_dir() for entry in (self.root / folder).iterdir()
        ]
        return [
            f"{entry.relative_to(self.root)}: {'a folder' if entry.is_dir() else 'no format is known by its suffix'}"
            for entry in sorted(entries)
            if not entry.name.startswith(".") and (entry.is_dir() or not _suffix(entry))
        ]

    def _patient(self, stem: str) -> str:
        match = re.match(self.config.patient_pattern, stem)
        return stem if match is None or not match[1] else match[1]

    @property
    def _read_options(self) -> ReadOptions:
        given = self.config
        return ReadOptions(given.view, given.modality, given.spacing_mm, given.third_axis)

    def _read_as(self, channels: int) -> ReadOptions:
        return replace(self._read_options, channels=3 if channels == 3 else 1)

    def _case(self, pair: FilePair) -> Case:
        given, groups = self.config, {"patient": self._patient(pair.name)}
        facts = CaseFacts(
            given.view, groups, _phase(pair.name), third_axis=given.third_axis, spacing_mm=given.spacing_mm
        )
        read = partial(read_image, pair.image, self._read_as(self.channels))
        return replace(file_case(pair, self, facts), read_image=read)

    def _exam_image(self, pair: FilePair) -> ExamImage:
        phase = _phase(pair.name)
        image = read_image(pair.image, self._read_as(self.channels))
        return ExamImage(pair.name, image, {} if phase is Phase.OTHER or len(image.frames) > 1 else {phase: 0})


def _is_coloured(image: Image) -> bool:
    return bool(strong_share(image.frames) > STRONG_SHARE)


def _suffix(path: Path) -> str:
    """The image suffix of a name, "" for other files."""
    return suffix_of(path) or ""


def _phase(stem: str) -> Phase:
    ending = re.split(r"[_\-. ]", stem)[-1].upper()
    return Phase(ending) if ending in (Phase.ED, Phase.ES) else Phase.OTHER
