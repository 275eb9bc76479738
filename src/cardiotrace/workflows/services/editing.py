"""An exam as a person corrected it: the automatic analysis, and what stands edited, measured together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cardiotrace.clinical.editing.edits import Edits, Kind, Said
from cardiotrace.clinical.editing.gesture import Verdict
from cardiotrace.clinical.intervals.filling import with_intervals
from cardiotrace.clinical.measure import usable_first
from cardiotrace.clinical.quantity import Measures
from cardiotrace.clinical.rule import flag
from cardiotrace.core.exam import Exam
from cardiotrace.core.findings import ExamFindings
from cardiotrace.core.flag import AcceptedFlag, Flag
from cardiotrace.core.label import LabelMap
from cardiotrace.geometry.blank import runs_of
from cardiotrace.inference.segmentation import Segmentation
from cardiotrace.workflows.services.analysis import Analyser, Analysis, measured
from cardiotrace.workflows.services.provenance import EditedImage, provenance_of
from cardiotrace.workflows.services.tracing import Tracing


@dataclass(frozen=True)
class EditedExam:
    """An exam that is open for correction: measured anew after each edit, quickly where little changed.

    Args:
        tracing: what the models said of it; its labels may be a person's own, or empty.
        analyser: how it was measured.
    """

    tracing: Tracing
    analyser: Analyser = field(default_factory=Analyser)
    known: ExamFindings = field(default_factory=ExamFindings, repr=False)

    def labels(self, edits: Edits) -> dict[str, LabelMap]:
        """Labels as they stand, by name of the image."""
        return {name: edits.labels(name, automatic) for name, automatic in self.tracing.labels.items()}

    def measured(self, edits: Edits, labels: Mapping[str, LabelMap] | None = None) -> Analysis:
        """The analysis of the exam as it stands.

        What a person drew carries no model's interval and no model's doubt: these are left out of whatever rests on an
        edited frame. Which frames were edited, and by whom, stands in provenance and flags.

        Args:
            edits: what a person changed; none of it gives what `Analyser.measured` does.
            labels: as `labels` gives them; None asks for them.
        """
        tracing, exam = self.tracing, edits.exam(self.tracing.exam)
        edited = tuple(_edited(exam, edits))
        provenance = provenance_of(
            exam, tracing.traced_by, verb=self.analyser.verb, models=tracing.models, given=self.analyser.given
        )
        analysis = measured(
            exam,
            self.labels(edits) if labels is None else labels,
            replace(provenance, edited=edited, accepted=tuple(accepted_flags(edits))),
            flags=[*tracing.flags, *edited_flags(edited)],
            doubts={name: _without(doubt, edits.edited_frames(name)) for name, doubt in tracing.doubts.items()},
            tracking=self.analyser.tracking,
            known=self.known,
        )
        traced_with = {
            name: found
            for name, found in tracing.traced_with.items()
            if not _rests_on(analysis.measures, name, edits.edited_frames(name))
        }
        quality = exam.facts.get("quality", "")
        with_limits = with_intervals(analysis.measures, traced_with, quality=quality)
        analysis = replace(analysis, measures=usable_first(with_limits))
        corrected = {name: found for name, found in tracing.labels.items() if any(edits.of(Kind.PLANE, name))}
        return replace(analysis, terms=tracing.terms, trust=tracing.trust, automatic=corrected)


def _without(doubt: np.ndarray, frames: Sequence[int]) -> np.ndarray:
    found = np.array(doubt, float)
    found[list(frames)] = np.nan
    return found


def _rests_on(measures: Measures, image: str, frames: Sequence[int]) -> bool:
    """Whether a key frame of an image is among those that were edited."""
    return any(found.image == image and found.frame in frames for found in measures.key_frames)


def _edited(exam: Exam, edits: Edits) -> Iterator[EditedImage]:
    """What was edited in each image."""
    for image in exam.images:
        found = {kind: list(edits.of(kind, image.name)) for kind in Kind}
        if not any(found.values()):
            continue
        rejected = [
            (address.frame, edit.value)
            for address, edit in found[Kind.VERDICT]
            if isinstance(edit.value, Said) and edit.value.verdict is Verdict.REJECTED
        ]
        yield EditedImage(
            name=image.name,
            by=tuple(sorted({edit.by for items in found.values() for _, edit in items if edit.by})),
            frames=tuple(sorted({address.frame for address, _ in found[Kind.PLANE]})),
            landmarks=tuple(sorted({address.frame for address, _ in found[Kind.LANDMARKS]})),
            phases={
                address.name: int(edit.value) for address, edit in found[Kind.PHASE] if isinstance(edit.value, int)
            },
            rejected=tuple(sorted({frame for frame, _ in rejected})),
            reasons=tuple(dict.fromkeys(said.reason for _, said in rejected if said.reason)),
        )


def accepted_flags(edits: Edits) -> Iterator[AcceptedFlag]:
    """Flags that somebody looked at and let stand."""
    for address, edit in edits.of(Kind.FLAG):
        if isinstance(edit.value, Said):
            rule, about, text = address.name.split("\n")
            yield AcceptedFlag(rule, about, text, edit.by, edit.time, edit.value.reason)


def edited_flags(edited: Sequence[EditedImage]) -> Iterator[Flag]:
    """Sentences that say what was edited, for the report and whoever reads the measures."""
    for image in edited:
        who, name = " and ".join(image.by) or "a person", image.name
        said = []
        if image.frames:
            said.append(f"{name}: labels were corrected by {who}, frames {_numbers(image.frames)}")
        if image.landmarks:
            said.append(f"{name}: the long axis was placed by {who}, frames {_numbers(image.landmarks)}")
        said.extend(f"{name}: {phase} was chosen by {who}, frame {frame}" for phase, frame in image.phases.items())
        said.extend(f"{name}: frames were rejected, for this reason: {reason}" for reason in image.reasons)
        yield from (flag("edited", text, about=name) for text in said)


def _numbers(frames: Sequence[int]) -> str:
    return ", ".join(runs_of(np.array(frames)))


def without_models(tracing: Tracing) -> Tracing:
    """A tracing of which nothing is a model's: for a reader who draws by themselves, on labels that are empty."""
    segmentations = {
        name: Segmentation(
            labels=found.labels,
            confidence=np.full_like(found.confidence, np.nan),
            doubt=np.full_like(found.doubt, np.nan),
            removed={},
            added={},
            warnings=(),
            model="",
            duration_s=0.0,
        )
        for name, found in tracing.segmentations.items()
    }
    return Tracing(tracing.exam, segmentations)
