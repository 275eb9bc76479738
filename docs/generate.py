"""Pages that the program writes about itself: verbs, recipe keys, catalogs, data sets, measures, lint rules.

They exist only in the built site, so they cannot go stale: `make docs` calls `on_files` and takes what it returns.
"""

import ast
import contextlib
import dataclasses
import enum
import inspect
import io
import itertools
import json
import os
import textwrap
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cardiotrace.core.catalog import Catalog, Choice, Entry

ROOT = Path(__file__).parents[1]
WIDTH = "100"
"""Columns of the help texts."""


def on_files(files: Any, config: Any) -> Any:
    """MkDocs asks for the files of the site: add the generated ones."""
    from mkdocs.structure.files import File

    for path, page in PAGES.items():
        files.append(File.generated(config, path, content=page()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs hands over the text of each page: put in what is generated."""
    for name, text in INSERTS.items():
        marker = f"<!-- generated: {name} -->"
        if marker in markdown:
            markdown = markdown.replace(marker, text())
    return markdown


# The command line.


def cli_page() -> str:
    """Every verb with its help text, as `cardiotrace VERB --help` prints it."""
    from cardiotrace.cli.main import VERBS

    rows = [(f"[`{verb.name}`](#{verb.name.replace(' ', '-')})", verb.summary) for verb in VERBS]
    parts = [CLI_HEAD, table(("verb", "what it does"), rows)]
    for verb in VERBS:
        parts += [f"## {verb.name}", f"```text\n{help_text(verb.name)}\n```"]
    return page(parts)


def help_text(verb: str) -> str:
    """What `cardiotrace VERB --help` prints on a terminal of 100 columns."""
    from cardiotrace.cli.main import main

    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    text = io.StringIO()
    try:
        with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
            main([*verb.split(), "--help"])
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return "\n".join(line.rstrip() for line in text.getvalue().strip().splitlines())


CLI_HEAD = """# Command line

`cardiotrace VERB [OPTIONS]`. `cardiotrace --help` lists the verbs, `cardiotrace --version` names the version.

An error is one or two lines: what is wrong, where, and what to do. `--debug` on any verb shows the traceback as well.

| exit status | meaning |
|---|---|
| 0 | done |
| 2 | wrong use: words that do not fit together |
| 3 | bad input: a file, folder, recipe or model cannot be used; `data lint` found an error |
| 4 | failed work: a full disk, an unwritable folder, a training that diverged |
| 130, 143, 129 | interrupted by Ctrl-C, SIGTERM or SIGHUP; nothing is left half-written |

| environment variable | meaning |
|---|---|
| `CARDIOTRACE_DATA` | folder that holds the data sets by name: `$CARDIOTRACE_DATA/camus` |
| `CARDIOTRACE_CACHE` | folder for packed data; by default the user's cache folder |
| `OMP_NUM_THREADS` | how many processors may be used at most; by default all that the process is given |
| `CARDIOTRACE_PROVIDER` | what runs networks: `cpu` (the default), `cuda` or `openvino`, where they are installed |
| `CARDIOTRACE_MODELS` | the user's own folder of model files, searched before the shipped ones |
"""


# Recipes.


def recipes_page() -> str:
    """Every key of a recipe, and a whole recipe with every default written out."""
    from cardiotrace.learning.training.recipe import Recipe, read_recipe, recipe_text

    recipe = read_recipe(ROOT / "recipes" / "camus-unet1.toml")
    parts = [RECIPES_HEAD, "## Keys", table(KEY_COLUMNS, recipe_rows(Recipe))]
    resolved = f"```toml\n{recipe_text(recipe).strip()}\n```"
    parts += ["## A resolved recipe", "`recipes/camus-unet1.toml` with every default written out.", resolved]
    return page(parts)


RECIPES_HEAD = """# Recipe keys

A recipe is a TOML file; `version` states its [form](files.md), and may be left out. A key that is not in this table,
a value of the wrong type and a value out of bounds are refused with the dotted key in the message. The run folder
keeps the recipe with every default written out.

A *choice* is a name (`"unet1"`) or a table with a name and options (`{ name = "unet1", norm = "batch" }`); the page
that is linked lists names and options. A *draw* is a table: with `probability`, a number uniform between `low` and
`high`; otherwise the value that changes nothing.

On the command line `--set KEY=VALUE` changes a key: `--set training.epochs=2`.
"""
KEY_COLUMNS = ("key", "type", "default", "meaning")
CHOICES = {
    "architecture": "[architecture](architectures.md)",
    "loss": "[loss](losses.md)",
    "optimiser": "[optimiser](optimisers.md#optimisers)",
    "schedule": "[schedule](optimisers.md#schedules)",
    "adaptation.method": "[method](adaptations.md)",
    "preprocessing": "[steps](preprocessing.md)",
    "postprocessing": "[steps](postprocessing.md)",
    "data.dataset": "[data set](data-sets.md)",
}
MEANINGS = {
    "name": "Name of the run folder and of the exported model.",
    "summary": "One line about the model; it travels in the model file.",
    "seed": "Seed of the first weights, the order of images, their changes, and folds made by patient.",
    "architecture": "The network.",
    "loss": "What training makes small.",
    "optimiser": "What moves the weights.",
    "schedule": "Factor on the optimiser's rate over the training.",
    "preprocessing": "From the file's pixels to the network's input; the same in training and in use.",
    "postprocessing": "From the network's label map to the written one; may be changed without training again.",
    "augmentation.elastic.probability": "How often a smooth random deformation is applied.",
    "augmentation.elastic.amplitude": "Largest displacement, as a fraction of the side, at most 0.4 / grid.",
}
"""Meaning of the keys whose field says nothing itself."""


def recipe_rows(kind: type, prefix: str = "") -> list[tuple[str, str, str, str]]:
    """(key, type, default, meaning) of every key below a dataclass, nested tables flattened."""
    hints, documented = typing.get_type_hints(kind), field_docs(kind)
    rows = []
    for item in dataclasses.fields(kind):
        key, hint = f"{prefix}{item.name}", table_of(hints[item.name])
        meaning = documented.get(item.name) or MEANINGS.get(key, "")
        if key in CHOICES:
            rows.append((f"`{key}`", CHOICES[key], default_text(item), meaning))
        elif hint.__name__ == "Draw" if isinstance(hint, type) else False:
            rows.append((f"`{key}`", "draw", "never", meaning))
        elif dataclasses.is_dataclass(hint) and isinstance(hint, type):
            rows += recipe_rows(hint, f"{key}.")
        else:
            rows.append((f"`{key}`", type_text(hint), default_text(item), meaning))
    return rows


def table_of(hint: Any) -> Any:
    """The dataclass of a table that may be left out; any other type as it is.

    Example:
        >>> table_of(int | None) == (int | None), table_of(Entry | None)
        (True, <class 'cardiotrace.core.catalog.Entry'>)
    """
    chosen = [kind for kind in typing.get_args(hint) if kind is not types.NoneType]
    return chosen[0] if len(chosen) == 1 and dataclasses.is_dataclass(chosen[0]) else hint


# Catalogs.


def catalog_sections(catalog: Catalog[Any], *, level: str = "##") -> list[str]:
    """A section for each entry: summary, source, options."""
    parts = []
    for entry in catalog:
        source = f"\n\nSource: {entry.source}." if entry.source else ""
        parts += [
            f"{level} {entry.name} {{#{anchor(entry.name)}}}",
            f"{entry.summary} {config_text(entry.config)}{source}",
            options_text(entry),
        ]
    return parts


def anchor(name: str) -> str:
    """The id of an entry's section; "+" cannot be part of one.

    Example:
        >>> anchor("unet++")
        'unet-plus-plus'
    """
    return name.replace("+", "-plus")


def config_text(config: type) -> str:
    """The first paragraph of a configuration's docstring, nothing where dataclasses made one up."""
    text = inspect.getdoc(config) or ""
    return "" if text.startswith(f"{config.__name__}(") else " ".join(text.partition("\n\n")[0].split())


def options_text(entry: Entry[Any]) -> str:
    """The options of an entry as a table, without the last column if it would be empty."""
    rows = option_rows(entry.config)
    if not rows:
        return "No options."
    columns = ("option", "type", "default", "meaning")
    width = 4 if any(row[3] for row in rows) else 3
    return table(columns[:width], [row[:width] for row in rows])


def option_rows(config: type) -> list[tuple[str, str, str, str]]:
    """(name, type, default, meaning) of the fields of a configuration; where a data set lies is no option."""
    hints, documented = typing.get_type_hints(config), {**args_docs(config), **field_docs(config)}
    return [
        (f"`{item.name}`", type_text(hints[item.name]), default_text(item), documented.get(item.name, ""))
        for item in dataclasses.fields(config)
        if item.name != "root"
    ]


def architectures_page() -> str:
    """The networks with their sizes."""
    from cardiotrace.learning.models.catalog import ARCHITECTURES
    from cardiotrace.learning.models.describe import describe_architectures

    counted = [
        (
            f"[`{row['architecture']}`](#{anchor(row['architecture'])})",
            f"{row['parameters']:,}",
            f"{row['multiply_adds'] / 1e9:.2f}",
            row["summary"],
        )
        for row in describe_architectures()
    ]
    head = """# Architectures

`architecture` in a recipe. Each maps an image to one logit per class and pixel. Parameters are counted for one input
channel and four classes, multiply-adds for one image of 256x256, as `cardiotrace models list --architectures` prints
them. Some are taught by several outputs at once; in use each gives one."""
    columns = ("name", "parameters", "multiply-adds, 10^9", "what it is")
    return page([head, table(columns, counted), *catalog_sections(ARCHITECTURES)])


def losses_page() -> str:
    """The losses."""
    from cardiotrace.learning.losses import LOSSES

    return page(["# Losses\n\n`loss` in a recipe.", *catalog_sections(LOSSES)])


def adaptations_page() -> str:
    """The ways to serve a domain without labels."""
    from cardiotrace.learning.training.adaptation.catalog import ADAPTATIONS

    head = (
        "# Adaptations\n\n`adaptation.method` in a recipe, or `cardiotrace adapt METHOD`:"
        " [what they are for](../explanation/adaptation.md)."
    )
    return page([head, *catalog_sections(ADAPTATIONS)])


def optimisers_page() -> str:
    """Optimisers and schedules."""
    from cardiotrace.learning.training.optimiser import OPTIMISERS, SCHEDULES

    head = "# Optimisers and schedules\n\n`optimiser` and `schedule` in a recipe."
    optimisers = ["## Optimisers", *catalog_sections(OPTIMISERS, level="###")]
    schedules = [
        "## Schedules",
        "A schedule is a factor on the optimiser's `rate`; `progress` runs from 0 to 1 over the whole training.",
        *catalog_sections(SCHEDULES, level="###"),
    ]
    return page([head, *optimisers, *schedules])


def preprocessing_page() -> str:
    """The preprocessing steps."""
    from cardiotrace.preprocessing import STEPS

    head = """# Preparation steps

`preprocessing` in a recipe: a list, applied in order. `channel` and `clahe` come first, on the file's own pixels; steps
that move the grid are fused to one linear resampling; steps that change values follow. The label probabilities are
brought back to the image's own grid by the inverse map, so label maps always lie on the grid of their image. The
steps travel in the model file."""
    return page([head, *catalog_sections(STEPS)])


def postprocessing_page() -> str:
    """The post-processing steps."""
    from cardiotrace.postprocessing import STEPS

    head = """# Post-processing steps

`postprocessing` in a recipe: a list, applied in order to each frame on the image's own grid. What each step removes
and adds is counted; `analyse` flags an exam where more than a tenth of a structure was removed."""
    return page([head, *catalog_sections(STEPS)])


# Data sets.


def data_sets_page() -> str:
    """The data sets with their facts and options."""
    from cardiotrace.datasets.catalog import DATASETS

    parts = [DATA_SETS_HEAD]
    for entry in DATASETS:
        more = f"Layout, labels and traps: [{entry.name}](../data/{entry.name}.md)."
        parts += [
            f"## {entry.name}",
            f"{entry.summary} {more}",
            facts_text(getattr(entry, "facts", None)),
            options_text(entry),
        ]
    return page(parts)


DATA_SETS_HEAD = """# Data sets

`data.dataset` in a recipe, NAME in `cardiotrace data`. None of them comes with CardioTrace and none is ever
downloaded: get it from its owners under their terms, and say where it lies with `--data PATH` or `CARDIOTRACE_DATA`.
The option tables are for recipes and `--option KEY=VALUE`."""


def facts_text(facts: Any) -> str:
    """What is known of a data set before its files are read; None where that follows from its options."""
    if facts is None:
        return "Its facts are its options."
    rows = (
        ("labels", ", ".join(f"{value} {name}" for name, value in facts.scheme.values.items())),
        ("channels", {1: "1, grey", 3: "3, colour"}[facts.channels]),
        ("may be mirrored", " and ".join(facts.mirror_axes) or "never"),
        ("licence", facts.licence),
        ("cite", facts.citation),
    )
    return table(("fact", ""), rows)


# Measures and lint.


def measures_text() -> str:
    """An example of measures.json."""
    return f"```json\n{json.dumps(example_measures(), indent=2, ensure_ascii=False)}\n```"


def example_measures() -> dict[str, Any]:
    """Measures of a phantom exam as JSON, its lists cut short."""
    from cardiotrace.clinical import measure
    from cardiotrace.phantoms import EchoPhantom, echo_exam

    made = echo_exam(EchoPhantom(frame_count=12, spacing_mm=0.8, seed=1))
    plain = measure(made.exam, made.labels).to_plain()
    plain["quantities"] = plain["quantities"][:2]
    plain["curves"] = [{key: _shortened(value) for key, value in curve.items()} for curve in plain["curves"]]
    return plain


def _shortened(value: Any) -> Any:
    return value[:3] if isinstance(value, list) else value


def flags_text() -> str:
    """The rules that raise flags, the gravest grade first, with the limits that the program holds."""
    from cardiotrace.clinical.rule import RULES
    from cardiotrace.core.flag import Grade

    rows = [
        (f"`{rule.name}`", str(rule.grade), ", ".join(rule.of) or "the exam", rule.words, rule.references, rule.alarms)
        for rule in sorted(RULES.values(), key=lambda rule: list(Grade).index(rule.grade))
    ]
    return table(("rule", "grade", "doubts", "flagged if", "references reach", "false alarms"), rows)


def ranges_text() -> str:
    """Reference ranges with what they were made for and where they were read, those of one source together."""
    from cardiotrace.clinical.normal import NORMAL_RANGES
    from cardiotrace.clinical.term import TERMS
    from cardiotrace.report.words import ENGLISH

    known = {term.key: term for term in TERMS.values()}
    made_for = {item.set: None for item in NORMAL_RANGES}
    parts = []
    for found in made_for:
        by_key: dict[str, dict[str, str]] = {}
        for item in NORMAL_RANGES:
            if item.set == found:
                limits = f"{item.low:g} to {item.high:g}" if item.high < float("inf") else f"at least {item.low:g}"
                by_key.setdefault(item.key, {})[item.sex] = limits
        told = [ENGLISH(f"reference.{found.image}"), ", ".join(map(str, found.methods))]
        told += [ENGLISH(f"reference.{found.papillaries}")] if found.papillaries else []
        parts.append(f"**{'; '.join(told)}**: {found.source}; read in: {found.seen}.")
        rows = [(known[key].words, known[key].sign, limits["M"], limits["F"]) for key, limits in by_key.items()]
        parts.append(table(("quantity", "unit", "men", "women"), rows))
    return "\n\n".join(parts)


def repeatability_text() -> str:
    """What changes are held against, with the source."""
    from cardiotrace.clinical.comparison import REPEATABILITIES

    rows = []
    for key, item in REPEATABILITIES:
        limits = " to ".join(f"{limit:g}" for limit in item.change)
        told = f"{limits} points" if limits else f"coefficient of variation {item.variation_percent:g} %, times 2.77"
        kind = ", ".join(map(str, item.methods)) or "any method"
        rows.append((f"`{key}`", f"{kind}; {', '.join(item.views)}", told, f"{item.source}; read in: {item.seen}"))
    return table(("quantity", "method; view", "a change counts beyond", "source"), rows)


def lint_page() -> str:
    """The rules of `cardiotrace data lint`."""
    from cardiotrace.datasets.lint import CASE_RULES, SET_RULES

    rules = [(f"`{rule.name}`", str(rule.severity), rule.remedy) for rule in (*CASE_RULES, *SET_RULES)]
    head = """# Lint rules

What `cardiotrace data lint NAME PATH` looks for. An *error* gives wrong numbers or stops the work, a *warning* is
probably wrong, *information* is worth knowing. The exit status is 3 if there is an error.
See [how to lint a data set](../how-to/lint-a-data-set.md)."""
    return page([head, table(("rule", "severity", "what to do"), rules)])


# The Python API.


def api_text() -> str:
    """What is public, for mkdocstrings to describe: a section for each package."""
    import importlib

    from cardiotrace.core.public import FUNCTIONS, PACKAGES

    parts = []
    for package, summary in PACKAGES.items():
        module = importlib.import_module(package)
        # A name that several packages offer is described where it comes first.
        names = [name for name in module.__all__ if name != "__version__" and inspect.isroutine(getattr(module, name))]
        kinds = [name for name in module.__all__ if isinstance(getattr(module, name), type)]
        others = [name for name in module.__all__ if name not in (*names, *kinds, "__version__")]
        homes = [home_of(getattr(module, name), f"{package}.{name}") for name in (*names, *kinds)]
        homes += [path for path in FUNCTIONS if path.startswith(f"{package}.") and package != "cardiotrace"]
        known = "".join(parts)
        parts += [f"## {package}", summary]
        parts += ["Besides: " + ", ".join(f"`{package}.{name}`" for name in others) + "."] if others else []
        parts += ["Names: " + ", ".join(f"`{name}`" for name in (*names, *kinds)) + "."]
        parts += [f"::: {path}" for path in homes if f"::: {path}" not in known]
    return "\n\n".join(parts)


def home_of(item: Any, path: str) -> str:
    """Where something is written, which is what mkdocstrings reads.

    Example:
        >>> home_of(Catalog, "cardiotrace.Catalog")
        'cardiotrace.core.catalog.Catalog'
    """
    module, name = getattr(item, "__module__", ""), getattr(item, "__qualname__", "")
    return f"{module}.{name}" if module.startswith("cardiotrace.") else path


# Files.


def files_page() -> str:
    """The files that the program writes, with their versions."""
    from cardiotrace.core.contract import CONTRACTS

    rows = [
        (
            item.name,
            item.file,
            f"`{item.key}` = `{json.dumps(item.spelled)}`",
            str(item.oldest),
            item.writer,
            item.reader,
        )
        for item in CONTRACTS
    ]
    columns = ("what", "where", "version", "reads from", "written by", "read by")
    return page([FILES_HEAD, table(columns, rows), FILES_END])


FILES_HEAD = """# Files and their versions

Every file that is read again states the version of its form. The version rises when an older program would
misunderstand the file; facts that are only added raise nothing, and are passed over by programs that do not know them.
A file without a version is of the first one and is still read. One of a newer version is refused in one sentence:
update CardioTrace, or write the file again.

Two files are strict all the same. A key that a recipe or a model's preprocessing does not know is refused, since it
would change results; and so is a part of a split that states no version: it was written by hand and may be misspelt.
"""
FILES_END = """## Files without a version

| what | why |
|---|---|
| images and label maps | their formats have versions of their own: [file formats](formats.md) |
| `best.safetensors` | weights alone: names and shapes are compared with the network's |
| [DICOM objects](../how-to/write-dicom.md), `fhir.json` | their standards have versions of their own |
| `dataset.json`, `splits_final.json` | in the form of nnU-Net v2 |
| `measures.csv`, `summary.csv`, `truth.csv`, tables of `sweep` | rows for other programs, never read again |
| reports, figures, cards of models | for people |
"""


# Text from types.


def page(parts: Sequence[str]) -> str:
    """Parts of a page, a blank line between them."""
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell(text) for text in line) + " |" for line in lines)


def cell(text: str) -> str:
    """Text that may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def type_text(hint: Any) -> str:
    """A type hint in words.

    Example:
        >>> type_text(tuple[int, ...]), type_text(int | None)
        ('list of whole number', 'whole number or none')
    """
    source, given = typing.get_origin(hint), typing.get_args(hint)
    if source in (typing.Union, types.UnionType):
        return " or ".join("none" if choice is type(None) else type_text(choice) for choice in given)
    if source is typing.Literal:
        return ", ".join(f"`{json.dumps(choice)}`" for choice in given)
    if source is tuple:
        items = [item for item in given if item is not Ellipsis]
        return f"list of {type_text(items[0])}" if Ellipsis in given else f"{len(items)} x {type_text(items[0])}"
    if isinstance(source, type) and issubclass(source, Mapping):
        return f"table of {type_text(given[1])}"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return ", ".join(f"`{json.dumps(member.value)}`" for member in hint)
    names = {int: "whole number", float: "number", str: "text", bool: "`true`, `false`", Path: "path", Choice: "choice"}
    return names.get(hint, getattr(hint, "__name__", str(hint)))


def default_text(item: "dataclasses.Field[Any]") -> str:
    """The default of a field, as TOML would say it."""
    if item.default is not dataclasses.MISSING:
        value = item.default
    elif item.default_factory is not dataclasses.MISSING:
        value = item.default_factory()
    else:
        return "required"
    if isinstance(value, Choice):
        value = value.name
    if value is None:
        return "none"
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, tuple):
        value = list(value)
    with contextlib.suppress(TypeError):
        return f"`{json.dumps(value, ensure_ascii=False)}`"
    return "none"


def field_docs(kind: type) -> dict[str, str]:
    """The text below each field of a dataclass, inherited ones included."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__[:-1]):
        with contextlib.suppress(OSError, TypeError):
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
            found |= _docs_below(typing.cast("ast.ClassDef", tree.body[0]).body)
    return found


def _docs_below(body: Sequence[ast.stmt]) -> dict[str, str]:
    found = {}
    for field, text in itertools.pairwise(body):
        is_field = isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if is_field and is_text and isinstance(text.value.value, str):
            found[field.target.id] = text.value.value
    return found


def args_docs(kind: type) -> dict[str, str]:
    """The lines of the `Args` section of a class docstring."""
    found: dict[str, str] = {}
    is_inside = False
    for line in inspect.getdoc(kind).splitlines() if kind.__doc__ else ():
        if not line.startswith(" ") and line.strip():
            is_inside = line.strip() == "Args:"
        elif is_inside and line.startswith("    ") and not line.startswith("     "):
            name, _, text = line.strip().partition(": ")
            found[name] = text
    return found


PAGES: Mapping[str, Callable[[], str]] = {
    "reference/cli.md": cli_page,
    "reference/recipes.md": recipes_page,
    "reference/architectures.md": architectures_page,
    "reference/losses.md": losses_page,
    "reference/optimisers.md": optimisers_page,
    "reference/adaptations.md": adaptations_page,
    "reference/preprocessing.md": preprocessing_page,
    "reference/postprocessing.md": postprocessing_page,
    "reference/data-sets.md": data_sets_page,
    "reference/lint-rules.md": lint_page,
    "reference/files.md": files_page,
}
"""Generated pages by their place below docs/."""

INSERTS: Mapping[str, Callable[[], str]] = {
    "measures": measures_text,
    "flags": flags_text,
    "ranges": ranges_text,
    "repeatability": repeatability_text,
    "api": api_text,
}
"""What stands in place of `<!-- generated: NAME -->` in a page written by hand."""
