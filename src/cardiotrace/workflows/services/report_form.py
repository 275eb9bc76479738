"""How the report of an exam is written, and with which earlier exam it is compared."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cardiotrace.clinical.comparison import compare_exams, earlier_exam
from cardiotrace.clinical.groups.classifier import load_classifier
from cardiotrace.clinical.groups.reading import classify
from cardiotrace.core.errors import UsageError
from cardiotrace.core.identity import Identity
from cardiotrace.io.results import MEASURES
from cardiotrace.workflows.services.provenance import given_in
from cardiotrace.workflows.services.record import read_record
from cardiotrace.workflows.services.stamp import stamp_of

if TYPE_CHECKING:
    from cardiotrace.report import ReportContext
    from cardiotrace.report.write import ReportFiles
    from cardiotrace.workflows.services.analysis import Analysis


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Language and forms of a report, and what it is compared with."""

    language: Literal["en", "fr"] = "en"
    """Of the page: en or fr."""
    pdf: bool = False
    """Write report.pdf as well, two pages printed by a Chromium or Chrome that is installed."""
    frame_images: bool = False
    """Write figures/frames as well, every frame of the moving images with its outlines: slow for a long film."""
    prior: Path | None = None
    """An earlier exam: its measures.json, its folder of results, or for several exams the folder above theirs."""
    papillaries: Literal["cavity", "mass"] = "cavity"
    """Where outlines of a short axis leave the papillary muscles: cavity as the shipped models do, or mass."""

    classifier: Path | None = None
    """A file of `classify train`, in place of the classifier of groups that comes with the program."""

    @property
    def given(self) -> dict[str, Any]:
        """What was said of the outlines, as plain data."""
        return {} if self.papillaries == "cavity" else {"papillaries": self.papillaries}

    @property
    def settings(self) -> dict[str, Any]:
        """What the files of a report depend on beside exam and outlines, as plain data; the usual is not named."""
        plain = given_in(replace(self, prior=None, classifier=None))  # they have stamps of their own
        file = self.classifier
        return plain | ({} if file is None else {"classifier": [str(file.resolve()), *stamp_of(file)]})

    def require(self, exams: int) -> None:
        """Refuse what cannot be done before any work is.

        Args:
            exams: how many there are.

        Raises:
            UsageError: a PDF is wanted, and there is no browser; or one earlier exam is given for several.
            InputError: the earlier exam cannot be read.
            ModelFileError: the classifier cannot be used.
        """
        from cardiotrace.report.pdf import find_browser
        from cardiotrace.report.words import Words

        Words(self.language)
        if self.pdf:
            find_browser()
        load_classifier(self.classifier)
        if self.prior is None:
            return
        if not self.prior.exists():
            raise UsageError("there is no such file or folder", where=self.prior, remedy="choose another --prior.")
        one = self._one_exam()
        if one is not None and exams > 1:
            raise UsageError(
                f"is one earlier exam, and there are {exams} exams now",
                where=self.prior,
                remedy="give --prior the folder above the earlier results, whose folders have the exams' names.",
            )
        if one is not None:
            read_record(one)

    def prior_file(self, exam: str) -> Path | None:
        """The measures of the earlier exam of an exam; None where there are none."""
        if self.prior is None:
            return None
        file = self._one_exam() or self.prior / exam / MEASURES
        return file if file.is_file() else None

    def prior_stamp(self, exam: str) -> list[Any] | None:
        """What tells whether the earlier exam is the same as at an earlier run."""
        file = self.prior_file(exam)
        return None if file is None else [str(file.resolve()), *stamp_of(file)]

    def compared(self, analysis: "Analysis") -> "Analysis":
        """The analysis, compared with the earlier exam; or with why it is not.

        Raises:
            InputError: the earlier exam cannot be read.
        """
        if self.prior is None:
            return analysis
        file = self.prior_file(analysis.exam.name)
        if file is None:
            return replace(analysis, not_compared=f"{self.prior.name} holds no earlier exam {analysis.exam.name}")
        record = read_record(file)
        if _is_of_another(record.plain.get("identity"), analysis.identity):
            return replace(analysis, not_compared=f"{self.prior.name} is of a patient of another number")
        models = {model.name: model.sha256 for model in analysis.provenance.models}
        earlier = earlier_exam(record.measures, record.provenance)
        comparison = compare_exams(analysis.measures, earlier, models=models, papillaries=self.papillaries)
        return replace(analysis, comparison=comparison)

    def completed(self, analysis: "Analysis") -> "Analysis":
        """The analysis, compared with an earlier exam and with groups of patients; see `compared` and `grouped`."""
        return self.grouped(self.compared(analysis))

    def grouped(self, analysis: "Analysis") -> "Analysis":
        """The analysis, with what the classifier says of groups; nothing where its view was not measured.

        Raises:
            ModelFileError: the classifier cannot be used.
        """
        return replace(analysis, groups=classify(analysis.measures, load_classifier(self.classifier)))

    def context(self, analysis: "Analysis", truth: Mapping[str, float] | None) -> "ReportContext":
        """What the report says beside the measures."""
        from cardiotrace.report import ReportContext  # draws: not needed for the values alone

        return ReportContext(
            model=analysis.terms,
            truth=truth,
            provenance=analysis.provenance.to_plain(),
            language=self.language,
            papillaries=self.papillaries,
            comparison=analysis.comparison,
            not_compared=analysis.not_compared,
            trust=analysis.trust,
            identity=analysis.identity,
            groups=analysis.groups,
            automatic=analysis.automatic,
            correction=analysis.correction,
            errors=analysis.errors,
            adaptation=analysis.adaptation,
        )

    @property
    def files(self) -> "ReportFiles":
        """What is written beside the usual files."""
        from cardiotrace.report.write import ReportFiles

        return ReportFiles(pdf=self.pdf, frames=self.frame_images)

    def _one_exam(self) -> Path | None:
        """The file of measures where one earlier exam is given; None for a folder of several."""
        if self.prior is None:
            return None
        if self.prior.is_file():
            return self.prior
        file = self.prior / MEASURES
        return file if file.is_file() else None


def _is_of_another(stated: object, identity: Identity | None) -> bool:
    """Whether both exams say whose they are, and it is not the same person."""
    before = stated.get("patient_id") if isinstance(stated, dict) else None
    return bool(before and identity is not None and identity.patient_id and before != identity.patient_id)


USUAL = ReportConfig()
