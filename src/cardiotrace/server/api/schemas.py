"""What is sent and received, as the description of the interface (OpenAPI) tells it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class Schema(BaseModel):
    """Something that is sent or received; keys that are not known are refused."""

    model_config = ConfigDict(extra="forbid")


class Problem(Schema):
    """What is wrong, and what to do about it."""

    text: str
    remedy: str | None


class ErrorAnswer(Schema):
    """The answer to what cannot be done."""

    error: Problem


class ProgressSchema(Schema):
    """How far something is; a total of 0 where that is not known."""

    done: int
    total: int
    text: str


class Fraction(Schema):
    """The ejection fraction by the preferred method, with the interval where the model was calibrated."""

    value: float
    unit: str
    low: float | None
    high: float | None
    method: str | None


class Signature(Schema):
    """Who signed which version."""

    by: str
    time: str
    checksum: str
    version: int


class Summary(Schema):
    """A study as the list shows it."""

    id: str
    name: str
    created: str
    state: JobState
    progress: ProgressSchema | None
    error: Problem | None
    job: str | None
    version: int
    signed: Signature | None
    ejection_fraction: Fraction | None
    grade: Literal["not usable", "look twice", "note"] | None
    views: list[str]
    origin: Literal["upload", "inbox", "dicom", "demo"]


class ImageSchema(Schema):
    """An image of a study."""

    name: str
    view: str
    modality: str
    frames: int
    slices: int
    height: int
    width: int
    spacing_mm: tuple[float, float] | None
    slice_mm: float | None
    region: tuple[int, int, int, int] | None = None
    """Top, left, bottom and right of what shows tissue, in pixels; null for all of the picture."""
    times_ms: list[float] | None
    phases: dict[str, int]
    structures: list[str]
    contours: list[str]


def image_schema(image: Mapping[str, Any], phases: Mapping[str, int]) -> ImageSchema:
    """An image as the analysis described it, with other key frames; an earlier version's says less of it."""
    facts = {key: image[key] for key in ImageSchema.model_fields if key in image}
    return ImageSchema(**{**facts, "phases": dict(phases)})


class Lease(Schema):
    """Who edits a study, and until when nobody else may."""

    holder: str
    expires: str


class AcceptedFlag(Schema):
    """A flag that somebody looked at and let stand."""

    rule: str
    about: str
    text: str
    by: str
    time: str
    reason: str


class Study(Summary):
    """A study with its images and measures."""

    images: list[ImageSchema]
    measures: dict[str, Any] | None
    automatic: dict[str, Any] | None
    left_out: list[str]
    undo: int
    redo: int
    lease: Lease | None
    accepted: list[AcceptedFlag]
    edits: int
    options: dict[str, Any]


class StudyList(Schema):
    """Studies, and how many there are."""

    total: int
    studies: list[Summary]


class UploadMade(Schema):
    """Where files are sent to."""

    id: str


class Received(Schema):
    """How many bytes of a file are there."""

    received: int


class UploadFile(Schema):
    """A file of an upload."""

    n: int
    name: str
    received: int


class UploadSchema(Schema):
    """An upload that is not finished."""

    files: list[UploadFile]


class JobMade(Schema):
    """A piece of work that was queued."""

    job: str


class JobSchema(Schema):
    """A piece of work."""

    id: str
    kind: str
    study: str | None
    state: JobState
    progress: ProgressSchema | None
    error: Problem | None
    result: dict[str, Any] | None


class Options(Schema):
    """What is said in place of what files and models say; what is left out stays as they say."""

    views: dict[str, str] = Field(default_factory=dict, max_length=1000)
    spacing_mm: Annotated[list[Annotated[float, Field(gt=0, le=1000)]], Field(min_length=2, max_length=3)] | None = None
    frame_rate_hz: Annotated[float, Field(gt=0, le=2000)] | None = None
    heart_rate: Annotated[float, Field(gt=0, le=400)] | None = None
    height_cm: Annotated[float, Field(ge=20, le=260)] | None = None
    weight_kg: Annotated[float, Field(ge=0.3, le=400)] | None = None
    sex: Literal["F", "M"] | None = None
    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,99}$")] | None = None
    language: Literal["en", "fr"] | None = None


class Analyse(Schema):
    """That a study is to be analysed again."""

    options: Options = Field(default_factory=Options)


class Health(Schema):
    """Whether the server works."""

    status: Literal["ok"]


class ModelSchema(Schema):
    """A model that may be used."""

    name: str
    views: list[str]
    licence: str
    citation: str


class About(Schema):
    """What this program is, and what it may not be used for."""

    version: str
    language: Literal["en", "fr"]
    models: list[ModelSchema]
    limits: str
    upload_bytes: int
