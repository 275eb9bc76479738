"""How the fields of a workflow's configuration are written on the command line.

A configuration is declared once, in `cardiotrace.workflows`: names, types, defaults and what each field means. The
command line reads that very dataclass. What a name and a type do not tell stands here: which words come without a name,
what stands for a value in the help, how a value is read that is no plain number, word or path.
"""

import dataclasses
import typing
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import tyro
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, StructConstructorSpec, StructTypeInfo

from cardiotrace.cli.settings import groups, settings
from cardiotrace.cli.words import read_modality, read_plane, read_sizes, read_view
from cardiotrace.core.terms import Modality, View

if TYPE_CHECKING:
    from cardiotrace.datasets.reading import Reading

Options = TypeVar("Options")


@dataclass(frozen=True)
class Mark:
    """What the name and the type of a field do not tell."""

    metavar: str = ""
    """What stands for the value in the help."""
    name: str = ""
    """Of the option, where it is not the field's."""
    alias: str = ""
    """A second name."""
    is_word: bool = False
    """Whether the value comes without a name."""
    is_flat: bool = False
    """Whether the fields within are options of their own."""
    is_hidden: bool = False
    """Whether the field keeps its default and is not shown."""
    kind: Any = None
    """Type to be read, where it is not the field's."""

    def on(self, kind: Any) -> Any:
        """The type of a field, as tyro is to read it."""
        marks: list[Any] = []
        if self.metavar or self.name or self.alias:
            aliases = (self.alias,) if self.alias else None
            marks.append(tyro.conf.arg(name=self.name or None, metavar=self.metavar or None, aliases=aliases))
        marks += [tyro.conf.Positional] * self.is_word + [tyro.conf.OmitArgPrefixes] * self.is_flat
        marks += [tyro.conf.Fixed, tyro.conf.Suppress] * self.is_hidden
        read = kind if self.kind is None else self.kind
        return typing.cast(Any, Annotated).__class_getitem__((read, *marks)) if marks else read


def _read_by(
    read: Callable[[Any], Any],
    metavar: str,
    *,
    kind: type,
    write: Callable[[Any], list[str]] = lambda value: [str(value)],
    is_list: bool = False,
) -> PrimitiveConstructorSpec[Any]:
    """What reads a value from one word, or from a list of any number of them."""
    return PrimitiveConstructorSpec(
        nargs="*" if is_list else 1,
        metavar=metavar,
        # An error of `read` ends the reading of options, and is clearer than what tyro would make of it.
        instance_from_str=read if is_list else lambda words: read(words[0]),
        is_instance=lambda value: isinstance(value, kind),
        str_from_instance=write,
    )


def _pairs(value: Mapping[str, Any]) -> list[str]:
    return [f"{key}={item}" for key, item in value.items()]


_SETTINGS = _read_by(settings, "KEY=VALUE", kind=dict, write=_pairs, is_list=True)
_GROUPS = _read_by(groups, "KEY=GROUP,...", kind=dict, write=_pairs, is_list=True)
_SIZES = _read_by(read_sizes, "HEIGHT WIDTH [DEPTH]", kind=tuple, is_list=True)
_PLANE = _read_by(read_plane, "VIEW", kind=tuple)
_VIEW = _read_by(read_view, "VIEW", kind=View)
_MODALITY = _read_by(read_modality, "US|MR|photograph", kind=Modality)

_HIDDEN = Mark(is_hidden=True)
_FLAT = Mark(is_flat=True)
_MARKS: Mapping[str, Mark] = {
    "exams": Mark("EXAM...", is_word=True),
    "reading": _FLAT,
    "patient": _FLAT,
    "AnalyseConfig.report": _FLAT,
    "MeasureConfig.report": _FLAT,
    "Reading.view": Mark(kind=Annotated[View, _PLANE] | None),
    "modality": Mark(kind=Annotated[Modality, _MODALITY] | None),
    "spacing_mm": Mark(kind=Annotated[tuple[float, ...], _SIZES] | None),
    "image_files": Mark(alias="--pictures"),
    "sex": Mark(kind=Literal["F", "M"] | None),
    "runs": Mark("RUN...", is_word=True),
    "predicted": Mark("PREDICTED", is_word=True),
    "reference": Mark("REFERENCE", is_word=True),
    "recipe": Mark("RECIPE", is_word=True),
    "MethodOfAdaptation.method": Mark("METHOD", is_word=True),
    "overrides": Mark(name="set", kind=Annotated[dict[str, Any], _SETTINGS]),
    "queue": Mark("LIST", is_word=True),
    "ExportConfig.run": Mark("RUN", is_word=True),
    "CalibrateConfig.run": Mark("RUN", is_word=True),
    "CalibrateConfig.model": Mark("MODEL", is_word=True),
    "PostprocessConfig.run": Mark("RUN", is_word=True),
    "models": Mark("MODEL...", is_word=True),
    "JoinConfig.members": Mark("MODEL...", is_word=True),
    "ModelConfig.model": Mark("MODEL", is_word=True),
    "DatasetConfig.name": Mark("NAME", is_word=True),
    "DatasetConfig.path": Mark("PATH", is_word=True),
    "ClassifyTrainConfig.table": Mark("TABLE", is_word=True),
    "default_for": Mark(kind=tuple[Annotated[View, _VIEW], ...]),
    "options": Mark(name="option", kind=Annotated[dict[str, Any], _SETTINGS]),
    "EvaluateConfig.only": Mark(kind=Annotated[dict[str, Any], _GROUPS]),
    "CompareConfig.only": Mark(kind=Annotated[dict[str, Any], _GROUPS]),
    "limits": Mark("NAME..."),
    "scores": Mark("SCORE...", name="score"),
    "protocols": Mark("NAME...", name="protocol"),
    "phantoms": _FLAT,
    "PhantomConfig.root": _HIDDEN,
    "layout": _HIDDEN,
    "CmrOptions.layout": Mark(),
    "EchoOptions.layout": Mark(),
    "EvaluateConfig.layout": Mark(),
    "PhantomConfig.kind": _HIDDEN,
    "PhantomConfig.spacing_mm": _HIDDEN,
    "PhantomConfig.count": Mark(alias="-n"),
    "pathologies": Mark(name="pathology"),
    "vendors": Mark(name="vendor"),
    "qualities": Mark(name="quality", kind=tuple[Literal["good", "medium", "poor"], ...]),
    "frame_count": Mark(name="frames", kind=int),
    "atria": _HIDDEN,
    "PhantomConfig.beats": _HIDDEN,
    "PhantomConfig.fundus.views": _HIDDEN,
    "PhantomConfig.fundus.frame_count": _HIDDEN,
}
"""By the name of a field; by the class that declares it and the field; by the class, its kind and the field."""


def read_options(kind: type[Options], words: Sequence[str], *, program: str, description: str) -> Options:
    """The configuration that the words of a command line mean.

    Args:
        kind: a dataclass, or one of a workflow with options of the command line added.
        words: those behind the verb.
        program: how the command begins, for the help.
        description: what stands above the options in the help.

    Raises:
        SystemExit: help was asked for, or the words mean nothing; it has been said.
        CardioTraceError: a value that cannot be.
    """
    registry = ConstructorRegistry()
    registry.struct_rule(_Rule())
    given = gathered(words, set(_several_valued(kind)))
    return tyro.cli(kind, prog=program, description=description, args=given, registry=registry)


def _in_one_piece(told: str | Callable[[], str | None] | None) -> Callable[[], str | None]:
    """What a field means without the line breaks of the source, where tyro would keep those before an indented line."""

    def text() -> str | None:
        found = told() if callable(told) else told
        return None if found is None else " ".join(found.split())

    return text


class _Rule:
    """tyro's own reading of dataclasses, with the marks added to their fields."""

    def __init__(self) -> None:
        self._asked: set[type] = set()

    def __call__(self, info: StructTypeInfo) -> StructConstructorSpec | None:
        if not dataclasses.is_dataclass(info.type) or info.type in self._asked:
            return None
        self._asked.add(info.type)  # so that the question is answered by tyro, and not by this rule again
        try:
            spec = ConstructorRegistry.get_struct_spec(info)
        finally:
            self._asked.remove(info.type)
        if not isinstance(spec, StructConstructorSpec):
            return None
        fields = tuple(
            dataclasses.replace(
                field,
                type=_mark(info.type, field.name, info.default).on(field.type),
                helptext=_in_one_piece(field.helptext),
            )
            for field in spec.fields
        )
        return StructConstructorSpec(_MADE_BY.get(info.type.__name__, spec.instantiate), fields)


def _reading(*, view: tuple[View, Modality] | None, modality: Modality | None, **known: Any) -> "Reading":
    """A reading whose word for the view may say the modality as well, such as A4C; a modality that is given counts."""
    from cardiotrace.datasets.reading import Reading  # not every verb reads exams

    if view is None:
        return Reading(None, modality, **known)
    meant = None if view[1] is Modality.UNKNOWN else view[1]
    return Reading(view[0], modality or meant, **known)


_MADE_BY: Mapping[str, Callable[..., Any]] = {"Reading": _reading}
"""What is made of the values of its fields otherwise than by its constructor, by the name of its class."""


def _mark(kind: type, name: str, default: object = None) -> Mark:
    """The mark of a field: of the class or the nearest one above that has one, else of the name alone."""
    which = getattr(default, "kind", "")
    keys = (f"{kind.__name__}.{which}.{name}", *(f"{above.__name__}.{name}" for above in kind.__mro__), name)
    return next((_MARKS[key] for key in keys if key in _MARKS), Mark())


def _several_valued(kind: type) -> Iterator[str]:
    """Options that take any number of values."""
    for name, hint in typing.get_type_hints(kind).items():
        mark = _mark(kind, name)
        if mark.is_flat:
            yield from _several_valued(hint)
        elif typing.get_args(hint)[-1:] == (...,) or typing.get_origin(mark.kind or hint) in (dict, Annotated):
            yield f"--{(mark.name or name).replace('_', '-')}"


def gathered(words: Sequence[str], options: Container[str]) -> list[str]:
    """The words, those of an option that is given more than once gathered behind its first place.

    The parser would keep the last ones and forget the others without a word.

    Args:
        words: of the command line.
        options: those of several values; of others the last value counts, as everywhere.

    Example:
        >>> gathered(["--set", "seed=1", "--out", "run", "--set", "loss=dice"], {"--set"})
        ['--set', 'seed=1', 'loss=dice', '--out', 'run']
    """
    current: list[str] = []
    groups = [current]
    gathering: dict[str, list[str]] = {}
    for word in words:
        option, equals, value = word.partition("=")
        if not word.startswith("--"):
            current.append(word)
        elif option in gathering:
            current = gathering[option]
            current.extend([value] if equals else [])
        else:
            current = [word]
            groups.append(current)
            if option in options:
                gathering[option] = current
    return [word for group in groups for word in group]
