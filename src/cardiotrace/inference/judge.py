"""Where labels of an image are probably wrong, pixel by pixel: a network that has learned to judge outlines.

It travels in the file of the model whose answers it learned to judge, as a further graph, and may be asked about any
labels of the same structures: the model's own, corrected ones, or those of a person.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from cardiotrace.core.errors import InputError, ModelFileError
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.trust import ErrorMap
from cardiotrace.geometry.resample import resample
from cardiotrace.inference.engine import Engine, Provider, make_engine, run_single
from cardiotrace.inference.localiser import Localiser
from cardiotrace.inference.model_file import JUDGE, Model
from cardiotrace.inference.preparation import preparation
from cardiotrace.inference.sample import in_channels_of, softmax
from cardiotrace.inference.spec import JudgeSpec, ModelSpec
from cardiotrace.preprocessing import ResamplingTransform


@dataclass(frozen=True)
class Judge:
    """Judges labels of images that its model traces; may be used by several threads at a time."""

    spec: ModelSpec
    """Of the model that it came with."""
    facts: JudgeSpec
    engine: Engine
    localiser: Localiser | None = None
    """What finds the heart, where the model sees a crop around it."""

    @classmethod
    def within(cls, model: Model, *, provider: Provider | None = None) -> "Judge | None":
        """The judge that travels in a model file; None where there is none.

        Raises:
            ModelFileError: it cannot be built.
        """
        if model.spec.judge is None:
            return None
        engine = make_engine(model.graph(JUDGE), provider=provider, where=model.path)
        return cls(model.spec, model.spec.judge, engine, Localiser.within(model, provider=provider))

    def errors(self, image: Image, labels: LabelMap, frames: Sequence[int]) -> dict[int, ErrorMap]:
        """Where labels are probably wrong in some frames; 0 where the network does not look, or nothing is labelled.

        Args:
            image: what is labelled.
            labels: on its grid, of the structures of the model.
            frames: which.

        Raises:
            InputError: the labels are of other structures, or a pixel size is needed and not known.
            ModelFileError: the network fails.
        """
        scheme = self.spec.label_scheme
        if set(labels.scheme.values) != set(scheme.values):
            raise InputError(
                f"{self.spec.name} judges {', '.join(scheme.structures)}, and the labels are of"
                f" {', '.join(labels.scheme.structures)}"
            )
        image, classes = in_channels_of(self.spec, image), self.spec.classes_of(labels.to(scheme).array)
        sides, spacing_mm = image.grid_shape[2:], image.spacing_mm
        centre = (
            None
            if self.localiser is None or not self.spec.preprocessing.needs_centre
            else (self.localiser.locate(image).centre)
        )
        transform = self.spec.preprocessing.transform_for(sides, spacing_mm and spacing_mm[1:], centre)
        return {frame: np.stack(list(self._planes(image, classes, frame, transform))) for frame in frames}

    def _planes(
        self, image: Image, classes: UInt8[np.ndarray, "time depth height width"], frame: int,
        transform: ResamplingTransform,
    ) -> Iterator[Float[np.ndarray, "height width"]]:  # fmt: skip
        prepared = preparation(self.spec, image.frames, transform, at_once=1)
        for depth in range(image.grid_shape[1]):
            if not classes[frame, depth].any():
                yield np.zeros(classes.shape[2:], np.float32)  # where nothing is labelled, nothing was learned
                continue
            outline = self.spec.preprocessing.resample_labels(
                classes[frame, depth], transform, class_count=self.spec.classes
            )
            channels = (outline == np.arange(self.spec.classes)[:, None, None]).astype(np.float32)
            logits = run_single(self.engine, np.concatenate([prepared((frame, depth)), channels])[None])
            if logits.shape != (1, 2, *transform.shape):
                raise ModelFileError(f"the judge of model {self.spec.name} returned shape {logits.shape}")
            wrong = softmax(logits / self.facts.temperature)[0, 1]
            yield np.clip(resample(wrong, transform.inverse_axes), 0, 1)
