"""The documentation says what is so: links lead somewhere, code runs, commands parse, generated pages are complete."""

import ast
import contextlib
import dataclasses
import doctest
import importlib.util
import io
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import tyro
import yaml

from cardiotrace.cli.main import VERBS, main
from cardiotrace.core.catalog import Choice
from cardiotrace.datasets.catalog import DATASETS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
NOT_RUN = re.compile(r"<!-- not run: \S.*-->\n$")
"""Stands right above a block that is only compiled, with the reason."""


def load_generate():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load_generate()


@dataclasses.dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str
    is_run: bool

    @property
    def name(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page, language):
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        if found[1] == language:
            before = text[: found.start()]
            yield Block(page, before.count("\n") + 1, language, found[2], not NOT_RUN.search(before))


def all_blocks(language):
    return [pytest.param(block, id=block.name) for page in PAGES for block in blocks_of(page, language)]


def prose_of(page):
    """The text without fenced blocks and comments."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


# Links.


def anchors_of(text):
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        generated = generate.PAGES.get(place.relative_to(DOCS).as_posix()) if place.is_relative_to(DOCS) else None
        is_read_on_disk = not page.is_relative_to(DOCS)
        assert place.exists() or (generated and not is_read_on_disk), f"{target} leads nowhere"
        if anchor:
            text = place.read_text(encoding="utf-8") if place.exists() else generated()
            assert anchor in anchors_of(text), f"{target}: no such heading"


def test_navigation_lists_every_page_once():
    text = (ROOT / "mkdocs.yml").read_text()
    listed = re.findall(r"^\s+- (?:\w+: )?(\S+\.md)$", text, re.MULTILINE)
    on_disk = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    assert sorted(listed) == sorted([*on_disk, *generate.PAGES])


def test_the_site_fetches_nothing_from_elsewhere():
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    assert config["theme"]["font"] is False
    assert "extra_javascript" not in config
    for style in config["extra_css"]:
        assert not re.search(r"url\(|@import|https?:", (DOCS / style).read_text(encoding="utf-8"))
    assert not re.findall(r"!\[[^]]*\]\(https?:", "".join(page.read_text(encoding="utf-8") for page in PAGES))


# Code.


@pytest.mark.parametrize("block", all_blocks("python"))
def test_python_blocks_run(block, tmp_path, monkeypatch, capsys):
    code = compile(block.text, block.name, "exec")
    if block.is_run:
        monkeypatch.chdir(tmp_path)
        exec(code, {"__name__": "block"})


def test_names_of_blocks_that_are_not_run_exist():
    import cardiotrace

    skipped = [block for page in PAGES for block in blocks_of(page, "python") if not block.is_run]
    used = {name for block in skipped for name in re.findall(r"\bct\.(\w+)", block.text)}
    assert used >= {"read_exam", "measure", "write_report"}
    assert {name for name in used if not hasattr(cardiotrace, name)} == set()


def test_recipes_in_pages_are_recipes():
    from cardiotrace.learning.training.recipe import recipe_from_plain

    found = [block for page in PAGES for block in blocks_of(page, "toml")]
    recipes = [recipe_from_plain(tomllib.loads(block.text)) for block in found]
    expected = {"hearts", "acdc-unet", "cine-mri", "any-vendor", "five-folds", "around-the-heart"}
    assert {recipe.name for recipe in recipes} == expected


# Commands.


def commands_of(page):
    """Words of every command line in `sh` blocks, without what the shell takes for itself."""
    for block in blocks_of(page, "sh"):
        for line in block.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words = words[1:]
            yield words[: words.index(">")] if ">" in words else words


def all_commands(program):
    found = [(page, words) for page in PAGES for words in commands_of(page) if words[:1] == [program]]
    names = [f"{page.relative_to(ROOT)}: {' '.join(words)}" for page, words in found]
    return [pytest.param(words[1:], id=name) for (_, words), name in zip(found, names, strict=True)]


def verb_of(words):
    return next((verb for verb in VERBS if words[: len(verb.name.split())] == verb.name.split()), None)


class Parsed(BaseException):
    """Options have been read: stop before the verb runs."""


def parse(words, monkeypatch):
    """Options of a command line, read by the command line itself, which is stopped before it runs."""
    read = tyro.cli

    def stop(*arguments, **settings):
        raise Parsed(read(*arguments, **settings))

    monkeypatch.setattr(tyro, "cli", stop)
    monkeypatch.setattr("cardiotrace.learning.allocator.keep_freed_memory", lambda: True)
    complaint = io.StringIO()
    with contextlib.redirect_stderr(complaint), contextlib.redirect_stdout(complaint):
        try:
            main(words)
        except Parsed as parsed:
            return parsed.args[0]
        except SystemExit:
            pass
    return pytest.fail(complaint.getvalue())


@pytest.mark.parametrize("words", all_commands("cardiotrace"))
def test_commands_parse(words, monkeypatch):
    if words == ["--help"]:
        return
    options = parse(words, monkeypatch)
    name = getattr(options, "dataset", None) or (
        options.name if verb_of(words).module == "data" and words[1] != "list" else None
    )
    if name is not None:
        DATASETS.config(Choice(name, {"root": ".", **options.options}))
    recipe = getattr(options, "recipe", None)
    if recipe is not None and recipe.parts[0] == "recipes":
        from cardiotrace.learning.training.recipe import read_recipe

        read_recipe(ROOT / recipe, options.overrides)
    given = [word for word in words if word.startswith("--")]
    assert len(given) == len(set(given)), "an option given twice keeps its last values only"


def test_commands_that_are_wrong_are_found(monkeypatch):
    with pytest.raises(pytest.fail.Exception, match="modell"):
        parse(["analyse", "patient0100", "--modell", "x"], monkeypatch)


@pytest.mark.parametrize("words", all_commands("make"))
def test_make_targets_exist(words):
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert words[0] in targets


def test_commands_in_running_text_exist():
    families = {verb.name.split()[0] for verb in VERBS}
    for page in PAGES:
        for command in re.findall(r"`cardiotrace( [^`]*)?`", prose_of(page)):
            words = command.split()
            if not words or words[0] in ("VERB", "--help", "--version"):
                continue
            verb = verb_of(words)
            assert verb is not None or words[0] in families, f"{page.name}: cardiotrace{command}"
            flags = {word for word in words if word.startswith("--")}
            known = set(re.findall(r"--[\w-]+", generate.help_text(verb.name))) if flags else set()
            assert flags <= known, f"{page.name}: cardiotrace{command}"


def test_options_in_running_text_exist():
    known = set(re.findall(r"--[\w-]+", generate.cli_page())) | {"--debug", "--version"}
    for page in PAGES:
        named = {
            flag for code in re.findall(r"`([^`]*)`", prose_of(page)) for flag in re.findall(r"(?<!\S)--[\w-]+", code)
        }
        assert named <= known, page.name


def test_make_targets_in_running_text_exist():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for page in PAGES for target in re.findall(r"`make ([\w-]+)`", prose_of(page))}
    assert "docs" in named
    assert named <= targets


def test_paths_in_running_text_exist():
    for page in PAGES:
        for path in re.findall(r"`((?:src|tests|recipes|benchmarks|docs)/[\w./-]+)`", prose_of(page)):
            assert (ROOT / path).exists(), f"{page.name}: {path}"


# Generated pages.


def test_command_line_page_holds_every_verb_and_option():
    text = generate.cli_page()
    for verb in VERBS:
        assert f"## {verb.name}\n" in text
        assert f"Example: cardiotrace {verb.example}" in text
    assert "--test-time-augmentation" in text
    assert "\x1b" not in text


def test_every_recipe_key_has_a_meaning():
    from cardiotrace.learning.training.recipe import Recipe

    rows = generate.recipe_rows(Recipe)
    keys = [row[0].strip("`") for row in rows]
    assert [row[0] for row in rows if not row[3]] == []
    assert {"training.batch_size", "augmentation.elastic.amplitude", "data.dataset", "seed"} <= set(keys)
    assert set(generate.MEANINGS) <= set(keys)
    assert set(generate.CHOICES) <= set(keys)


def test_catalog_pages_hold_every_entry():
    from cardiotrace.learning.losses import LOSSES
    from cardiotrace.learning.models.catalog import ARCHITECTURES
    from cardiotrace.learning.training.optimiser import OPTIMISERS, SCHEDULES
    from cardiotrace.postprocessing import STEPS as POSTPROCESSING
    from cardiotrace.preprocessing import STEPS as PREPARATION

    pages = (
        (generate.architectures_page(), ARCHITECTURES),
        (generate.losses_page(), LOSSES),
        (generate.optimisers_page(), OPTIMISERS),
        (generate.optimisers_page(), SCHEDULES),
        (generate.preprocessing_page(), PREPARATION),
        (generate.postprocessing_page(), POSTPROCESSING),
        (generate.data_sets_page(), DATASETS),
    )
    for text, catalog in pages:
        for entry in catalog:
            assert re.search(rf"^###? {re.escape(entry.name)}( {{#[\w-]+}})?$", text, re.MULTILINE), entry.name
            options = {item.name for item in dataclasses.fields(entry.config)} - {"root"}
            assert all(f"| `{name}` |" in text for name in options), entry.name


def test_data_sets_page_states_licence_and_label_order():
    text = generate.data_sets_page()
    assert "| labels | 1 RV, 2 MYO, 3 LV |" in text
    assert "| licence | CC BY-NC-SA 4.0 |" in text
    for entry in DATASETS:
        assert (DOCS / "data" / f"{entry.name}.md").exists()


def test_lint_page_holds_every_rule():
    from cardiotrace.datasets.lint import CASE_RULES, SET_RULES

    text = generate.lint_page()
    assert all(f"| `{rule.name}` | {rule.severity} |" in text for rule in (*CASE_RULES, *SET_RULES))


def test_files_page_holds_every_contract_with_its_version():
    from cardiotrace.core.contract import CONTRACTS

    text = generate.files_page()
    assert '| `format` = `"cardiotrace results 1"` | 1 |' in text
    assert '| measures.json | `version` = `"3"` | 1 |' in text
    assert all(f"| {item.name} | {item.file} |" in text for item in CONTRACTS)


def test_flags_hold_the_limits_of_the_program():
    from cardiotrace.clinical.rule import RULES

    text = generate.flags_text()
    assert all(f"| `{rule.name}` | {rule.grade} |" in text for rule in RULES.values())
    assert f"outside {RULES['ejection-extreme'].low:g} to {RULES['ejection-extreme'].high:g} %" in text
    assert "{" not in text


def test_every_rule_that_raises_a_flag_is_explained():
    text = (DOCS / "explanation" / "trust.md").read_text(encoding="utf-8") + generate.flags_text()
    raised = {"reading"}  # made from a table of two
    for path in (ROOT / "src" / "cardiotrace").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "Flag" and len(call.args) > 2:
                raised |= {call.args[2].value} if isinstance(call.args[2], ast.Constant) else set()
    assert raised >= {"left-out", "doubt", "other-view", "confidence"}
    assert {rule for rule in raised if f"| `{rule}` |" not in text} == set()


def test_measures_page_names_every_quantity():
    from cardiotrace.clinical import measure
    from cardiotrace.clinical.term import TERMS
    from cardiotrace.core.contract import MEASURES
    from cardiotrace.phantoms import EchoPhantom, echo_exam

    text = (DOCS / "reference" / "measures-json.md").read_text()
    made = echo_exam(EchoPhantom(frame_count=12, spacing_mm=1.0))
    found = measure(made.exam, made.labels)
    assert {name for name in (*TERMS, *(item.name for item in found)) if f"`{name}`" not in text} == set()
    assert set(re.findall(r"^\| `(\w+)` \|", text.partition("A quantity:")[0], re.MULTILINE)) == {
        *found.to_plain(),
        "identity",
        "provenance",
        "comparison",
        "adaptation",
        "correction",
        "groups",
        "trust",
    }
    assert f"version {MEASURES.version}" in text


def test_every_placeholder_is_filled():
    for page in PAGES:
        names = re.findall(r"<!-- generated: (\w+) -->", page.read_text(encoding="utf-8"))
        assert set(names) <= set(generate.INSERTS)
        assert "<!-- generated" not in generate.on_page_markdown(page.read_text(encoding="utf-8"))


def test_examples_of_the_generator_hold():
    assert doctest.testmod(generate).failed == 0


@pytest.mark.slow
def test_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "reference" / "cli.html").read_text()
    assert "cardiotrace data lint" in page
    assert not re.findall(r'(?:src|href)="https?://(?!squidfunk)[^"]*\.(?:css|js|woff2?)', page)
