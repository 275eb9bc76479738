"""One self-contained page: what matters first, every value below, nothing fetched from anywhere."""

import base64
import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import cardiotrace
from cardiotrace.clinical.adaptation import Adaptation
from cardiotrace.clinical.comparison import Comparison
from cardiotrace.clinical.correction import Correction
from cardiotrace.clinical.groups.reading import GroupReading
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.normal import Papillaries
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.config import from_plain
from cardiotrace.core.exam import Exam
from cardiotrace.core.flag import LEFT_OUT, AcceptedFlag, Flag, Grade, is_doubted
from cardiotrace.core.identity import Identity
from cardiotrace.core.label import LabelMap
from cardiotrace.core.trust import ErrorMaps, ImageTrust
from cardiotrace.report.absence import absences
from cardiotrace.report.adaptation import adaptation_sentences
from cardiotrace.report.correction import correction_sentences
from cardiotrace.report.facts import Facts, facts_of, identity_words, is_of_heart, trust_facts
from cardiotrace.report.groups import group_sentences
from cardiotrace.report.headline import EJECTION, Headline, Yardstick, headline_of, headline_rows
from cardiotrace.report.sentences import flag_sentence
from cardiotrace.report.tables import beat_rows, change_rows, is_of_a_chamber, value_tables
from cardiotrace.report.template import render_template
from cardiotrace.report.words import LANGUAGES, Words

_GRADES = {Grade.NOT_USABLE: "bad", Grade.LOOK_TWICE: "warn", Grade.NOTE: "calm"}
"""How flags of a grade are shown."""
_DIGEST = 12
"""Letters of a model's digest that the page shows; measures.json holds all."""


FigureKind = Literal["still", "sheet", "animation", "curve", "bullseye", "other"]
_FORMATS = {"gif": "gif", "svg": "svg+xml"}


@dataclass(frozen=True)
class ReportFigure:
    """An image on the page."""

    kind: FigureKind
    """Where it stands: a "still", a "sheet" (all slices of a stack), an "animation", a "curve", a "bullseye", or any
    "other"."""
    name: str
    """Of its file, such as "p1_ED.png"."""
    content: bytes = field(repr=False)
    """Of its file."""
    title: str
    note: str = ""

    @property
    def source(self) -> str:
        """The image itself, as a page holds it."""
        kind = _FORMATS.get(self.name.rsplit(".", 1)[-1], "png")
        return f"data:image/{kind};base64,{base64.b64encode(self.content).decode('ascii')}"


@dataclass(frozen=True)
class ReportContext:
    """What a report says beside the measures, and how."""

    model: Mapping[str, str] | None = None
    """What made the labels, such as {"name": ..., "licence": ...}; None where a person drew them."""
    truth: Mapping[str, float] | None = None
    """True values by name and unit, such as {"left_ventricular_ejection_fraction_percent": 58.0}."""
    provenance: Mapping[str, Any] | None = None
    """Where labels and images came from, as plain data for `measures.json`."""
    date: datetime.date | None = None
    """Date of the report; None for today."""
    language: str = LANGUAGES[0]
    """Of the page: "en" or "fr"."""
    papillaries: Papillaries = "cavity"
    """Where outlines of a short axis leave the papillary muscles, which decides on reference ranges."""
    comparison: Comparison | None = None
    """With an earlier exam."""
    not_compared: str = ""
    """Why there is no comparison that was asked for."""
    trust: Mapping[str, ImageTrust] = field(default_factory=dict)
    """What the model expects of its labels, by name of the image."""
    identity: Identity | None = None
    """Whose the exam is, where the report is to say it."""
    groups: GroupReading | None = None
    """Which groups of patients it is like, for research."""
    automatic: Mapping[str, LabelMap] = field(default_factory=dict)
    """Labels before a person corrected them, by name of the image; of those that were corrected."""
    correction: Correction | None = None
    """What a corrector did to the labels, where one was asked for."""
    errors: ErrorMaps = field(default_factory=dict)
    """Where labels are probably wrong, by name of the image and frame, as the model that made them tells."""
    adaptation: Adaptation | None = None
    """What adapting the models to the images did, where that was asked for."""

    @property
    def words(self) -> Words:
        """The words of the language.

        Raises:
            UsageError: the page is not written in it.
        """
        return Words(self.language)


@dataclass(frozen=True)
class Flagged:
    """The flags of one grade."""

    kind: str
    title: str
    told: tuple[tuple[str, str, str, str], ...]
    """What each is about, in the language of the page and empty in English; its own sentence; the language that the
    sentence is in; and who let it stand, when and why, empty where nobody did."""


def render_page(
    exam: Exam,
    measures: Measures,
    shown: Sequence[ReportFigure],
    context: ReportContext,
    *,
    left_out: Sequence[str] = (),
) -> str:
    """The page as HTML text.

    Args:
        exam: gives its name, and what is known of the patient for reference ranges.
        measures: what was measured.
        shown: the images, in the order they are to stand.
        context: model, true values, language, an earlier exam, and date.
        left_out: what is not in the report and why, beside what flags tell.

    Returns:
        One HTML document that needs nothing else.

    Raises:
        UsageError: the page is not written in the language.
    """
    words = context.words
    yardstick = Yardstick(exam.patient, words, context.truth or {}, context.papillaries, context.comparison)
    tables = value_tables(measures, yardstick)
    absent = [*absences(exam, measures, words)]
    if context.not_compared:
        absent.append(words("absent.prior", reason=context.not_compared))
    return render_template(
        "page.html.jinja",
        t=words,
        exam=exam.name,
        patient=[] if context.identity is None else identity_words(context.identity, words),
        date=words.date(context.date or datetime.date.today()),
        version=cardiotrace.__version__,
        lead=_lead(exam, measures, yardstick),
        lead_name=words.term(EJECTION if is_of_heart(exam) else "vessel_density"),
        rows=list(headline_rows(measures, yardstick)),
        facts=[
            *facts_of(exam, words),
            *_model_facts(context.model, words),
            *trust_facts(exam, measures, context.trust, words),
        ],
        flagged=_flagged(measures.flags, _accepted(context.provenance or {}), words),
        left_out=_left_out(measures.flags, left_out),
        absent=absent,
        is_doubted=is_doubted(measures.flags),
        shown=shown,
        tables=tables,
        has_truth=any(row[4] for table in tables for row in table.rows),
        has_normal=any(row[3] for table in tables for row in table.rows),
        beats=list(beat_rows(measures, words)),
        changes=[] if context.comparison is None else list(change_rows(context.comparison, words)),
        change_notes=[] if context.comparison is None else _change_notes(context.comparison, context.model, words),
        adapted=[] if context.adaptation is None else list(adaptation_sentences(context.adaptation, words)),
        mended=[] if context.correction is None else list(correction_sentences(context.correction, words)),
        research=[] if context.groups is None else list(group_sentences(context.groups, words)),
        notes=_notes(measures, yardstick),
        model=dict(context.model or {}),
        origin=_origin(context.provenance or {}, words),
        provenance_images=_listed(context.provenance or {}, "images"),
    )


def _lead(exam: Exam, measures: Measures, yardstick: Yardstick) -> Headline | None:
    """The number that stands first: the preferred ejection fraction, or what was measured where it is of no heart."""
    found = measures.find(EJECTION)
    if found is not None:
        return headline_of(found, yardstick)
    first = measures.quantities[0] if measures.quantities else None
    if first is None or any(is_of_a_chamber(quantity) for quantity in measures.quantities):
        return None
    return headline_of(first, yardstick)


def _model_facts(model: Mapping[str, str] | None, words: Words) -> Facts:
    if model is None:
        return [(words("fact.outlines"), words("fact.given"))]
    licence = model.get("licence", "")
    return [(words("fact.model"), model.get("name", "") + (f" ({licence})" if licence else ""))]


def _flagged(flags: Sequence[Flag], accepted: Sequence[AcceptedFlag], words: Words) -> list[Flagged]:
    """Flags by grade, the gravest first."""
    found = []
    for grade, kind in _GRADES.items():
        alike = dict.fromkeys(
            (words.found(f"rule.{flag.rule}"), *flag_sentence(flag, words), _acceptance(flag, accepted, words))
            for flag in flags
            if flag.grade is grade and flag.rule != LEFT_OUT  # they stand by themselves
        )
        if alike:
            found.append(Flagged(kind, words(f"grade.{grade}"), tuple(alike)))
    return found


def _accepted(provenance: Mapping[str, Any]) -> list[AcceptedFlag]:
    return [from_plain(AcceptedFlag, item) for item in _listed(provenance, "accepted")]


def _acceptance(flag: Flag, accepted: Sequence[AcceptedFlag], words: Words) -> str:
    """Who let a flag stand, when and why; empty where nobody did."""
    found = next((each for each in accepted if each.is_of(flag)), None)
    if found is None:
        return ""
    time = datetime.datetime.fromisoformat(found.time)
    who = found.by or words("page.somebody")
    said = words("page.accepted", who=who, date=words.date(time), time=f"{time:%H:%M %Z}")
    return said + (f"{words('language.colon')} {found.reason}" if found.reason else "")


def _left_out(flags: Sequence[Flag], others: Sequence[str]) -> list[str]:
    """What flags say was left out, then what else was, each image once."""
    said = [flag for flag in flags if flag.rule == LEFT_OUT]
    return list(dict.fromkeys([*(flag.text for flag in said), *others]))


def _notes(measures: Measures, yardstick: Yardstick) -> list[str]:
    """How the values came about, in a few sentences."""
    words, used = yardstick.words, {item.method for item in measures}
    noted = (words.method_note(method) for method in Method if method in used)
    notes = list(dict.fromkeys(note for note in noted if note))
    if any(item.unit.endswith("/m2") for item in measures):
        notes.append(words("page.indexed"))
    # Of each quantity the first interval is the one that is shown.
    shown = dict.fromkeys((item.intervals[0].of, item.intervals[0].share) for item in measures if item.intervals)
    notes.extend(words(f"interval.note {of}", share=words.number(100 * share)) for of, share in shown)
    notes.extend(_range_notes(measures, yardstick))
    if measures.quantities:
        notes.append(words("page.rounded"))
    return notes


def _range_notes(measures: Measures, yardstick: Yardstick) -> list[str]:
    """Where the reference ranges on the page come from, and what they were made for."""
    words = yardstick.words
    sources: dict[str, dict[str, None]] = {}
    for item in (found for quantity in measures for found in yardstick.ranges(quantity)):
        image = words(f"reference.{item.set.image}")
        if item.set.papillaries is not None:
            image = f"{image}, {words(f'reference.{item.set.papillaries}')}"
        sources.setdefault(image, {})[item.set.source] = None
    return [words("page.ranges", image=image, source="; ".join(found)) for image, found in sources.items()]


def _change_notes(comparison: Comparison, model: Mapping[str, str] | None, words: Words) -> list[str]:
    """With what the exam is compared, and what the changes are held against."""
    earlier = comparison.earlier
    notes = [words("change.with", exam=earlier.measures.exam, version=earlier.version or "?")]
    if not comparison.is_same_model:
        person = words("change.person")
        before, now = ", ".join(earlier.models) or person, (model or {}).get("name", "") or person
        notes.append(words("change.models", before=before, now=now))
    limits = (change.repeatability for change in comparison.changes)
    sources = dict.fromkeys(limit.source for limit in limits if limit is not None)
    if sources:
        notes.append(words("change.sources", sources="; ".join(sources)))
    return notes


def _origin(provenance: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Program, models and what the user stated."""
    yield words("provenance.program", version=cardiotrace.__version__)
    for model in _listed(provenance, "models"):
        digest = str(model.get("sha256", ""))[:_DIGEST]
        yield words("provenance.model", name=model.get("name", ""), digest=digest)
    given = provenance.get("given")
    if given:
        yield words("provenance.given", given=", ".join(_settings(given)))


def _settings(given: Mapping[str, Any]) -> Iterator[str]:
    """What was stated, one setting each, those of a person among the others."""
    for key, value in given.items():
        if isinstance(value, Mapping):
            yield from _settings(value)
        else:
            yield f"{key} = {value}"


def _listed(provenance: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = provenance.get(key)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list | tuple) else []
