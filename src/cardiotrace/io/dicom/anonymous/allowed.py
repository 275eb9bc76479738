"""What may stand in a copy: elements by name, words from closed lists; whatever is not listed here is not copied.

Source:
    DICOM PS3.15 Annex E (which elements tell of a person), PS3.3 (which a class of objects demands).
"""

import re


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


PLAIN = _listed(
    """
    ImageType Modality SeriesNumber InstanceNumber AcquisitionNumber NumberOfFrames
    SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID
    ReferencedImageSequence SourceImageSequence ReferencedSOPClassUID ReferencedSOPInstanceUID ReferencedFrameNumber
    PatientSex PatientAge PatientSize PatientWeight PatientPosition BodyPartExamined HeartRate
    AcquisitionTime ContentTime AcquisitionDateTime
    FrameAcquisitionDateTime FrameReferenceDateTime FrameAcquisitionDuration AcquisitionDuration

    PixelSpacing PixelAspectRatio WindowCenter WindowWidth RescaleSlope RescaleIntercept PresentationLUTShape
    VOILUTFunction LossyImageCompression LossyImageCompressionRatio LossyImageCompressionMethod ImageLaterality
    BurnedInAnnotation

    FrameTime FrameTimeVector FrameIncrementPointer FrameDelay CineRate RecommendedDisplayFrameRate
    ActualFrameDuration EffectiveDuration StartTrim StopTrim PreferredPlaybackSequencing RWaveTimeVector
    UltrasoundColorDataPresent

    SequenceOfUltrasoundRegions RegionSpatialFormat RegionDataType RegionFlags
    RegionLocationMinX0 RegionLocationMinY0 RegionLocationMaxX1 RegionLocationMaxY1
    ReferencePixelX0 ReferencePixelY0 ReferencePixelPhysicalValueX ReferencePixelPhysicalValueY
    PhysicalUnitsXDirection PhysicalUnitsYDirection PhysicalDeltaX PhysicalDeltaY
    TransducerFrequency PulseRepetitionFrequency DopplerCorrectionAngle SteeringAngle
    PixelComponentOrganization PixelComponentMask PixelComponentRangeStart PixelComponentRangeStop
    PixelComponentPhysicalUnits PixelComponentDataType NumberOfTableBreakPoints
    TableOfXBreakPoints TableOfYBreakPoints TableOfPixelValues TableOfParameterValues

    ImagePositionPatient ImageOrientationPatient SliceThickness SpacingBetweenSlices SliceLocation
    TriggerTime NominalInterval CardiacNumberOfImages LowRRValue HighRRValue BeatRejectionFlag
    TemporalPositionIdentifier NumberOfTemporalPositions
    ScanningSequence SequenceVariant ScanOptions MRAcquisitionType RepetitionTime EchoTime EchoTrainLength EchoNumbers
    InversionTime FlipAngle MagneticFieldStrength ImagingFrequency ImagedNucleus NumberOfAverages
    ComplexImageComponent AcquisitionContrast EchoPulseSequence PixelPresentation VolumetricProperties
    VolumeBasedCalculationTechnique ContentQualification ResonantNucleus

    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence FrameContentSequence PlanePositionSequence
    PlaneOrientationSequence PixelMeasuresSequence CardiacSynchronizationSequence PixelValueTransformationSequence
    MRImageFrameTypeSequence MRModifierSequence MREchoSequence MRVelocityEncodingSequence FrameVOILUTSequence
    MRTimingAndRelatedParametersSequence
    FrameType FrameAcquisitionNumber InStackPositionNumber TemporalPositionIndex TemporalPositionTimeOffset
    DimensionIndexValues CardiacCyclePosition NominalCardiacTriggerDelayTime ActualCardiacTriggerDelayTime
    RRIntervalTimeNominal NominalPercentageOfCardiacPhase InversionRecovery InversionTimes EffectiveEchoTime
    VelocityEncodingMinimumValue VelocityEncodingMaximumValue VelocityEncodingDirection
    DimensionOrganizationSequence DimensionOrganizationUID DimensionIndexSequence DimensionIndexPointer
    FunctionalGroupPointer DimensionOrganizationType CardiacSynchronizationTechnique CardiacSignalSource
    """
)
"""Elements that are copied where their value is a number, a word of `WORDS`, an identifier (hashed), or a time
(counted anew); names of sequences, whose items are copied by the same rule."""

DEMANDED = ("StudyDate", "AccessionNumber", "ReferringPhysicianName", "StudyID", "PatientBirthDate", "PatientSex",
            "StudyTime", "Manufacturer", "SeriesNumber", "InstanceNumber")  # fmt: skip
"""Elements that every class demands and allows to be empty."""

EMPTIED = ("ContentDate", "PositionReferenceIndicator", "PatientOrientation", "Laterality")
"""Elements that some classes demand and allow to be empty: they are where they were."""

WORDS = _listed(
    """
    ORIGINAL DERIVED PRIMARY SECONDARY OTHER NONE MIXED YES NO Y N UNKNOWN MR US OP OT XC F M O
    LOCALIZER MPR CPR MIP MINIP PROJECTION AXIAL CINE VOLUME PERFUSION TAGGING VELOCITY PHASE MAGNITUDE REAL IMAGINARY
    FLOW_ENCODED PCA P R I ADC ECV MAP T1 T2 FFE SE IR GR EP RM SK MTC SS TRSS SP MP OSP ND NORM DIS2D DIS3D
    M_FFE M_SE M_IR FIL SHADOW WATER FAT IN_PHASE OUT_PHASE
    PER RG CG PPG FC PFF PFP SP FS CT FAST_GEMS SEQ_GEMS HEART CHEST THORAX EYE CARDIAC RETRO
    HFS HFP HFDR HFDL FFS FFP FFDR FFDL 2D 3D 00 01 IDENTITY INVERSE LINEAR LINEAR_EXACT SIGMOID L B
    ISO_10918_1 ISO_14495_1 ISO_15444_1 ISO_13818_2 ISO_14496_10 ISO_23008_2
    PROTON_DENSITY T2_STAR STIR DIFFUSION FLUID_ATTENUATED TOF SPIN GRADIENT BOTH MONOCHROME COLOR PLANAR
    DISTORTED SAMPLED PRODUCT RESEARCH SERVICE END_SYSTOLE END_DIASTOLE UNDETERMINED ECG VCG PP MCG REALTIME
    PROSPECTIVE RETROSPECTIVE PACED 1H 3D_TEMPORAL TILED_FULL
    """
) | frozenset(("PHASE MAP", "VELOCITY MAP", "PROJECTION IMAGE", "CSA MPR", "REAL IMAGE", "T1 MAP", "T2 MAP",
               "T2_STAR MAP", "T2 STAR MAP", "R2 MAP"))  # fmt: skip
"""Words of coded elements: those of the standard that tell of images, and none that anybody could choose."""

STAND_INS = {"ImageType": "OTHER", "FrameType": "OTHER", "SequenceVariant": "NONE", "ScanningSequence": "RM"}
"""In place of other words, where an element may not be without one."""

_VENDORS = _listed(
    """
    ge general electric siemens philips canon toshiba hitachi fujifilm samsung mindray esaote butterfly network vingmed
    acuson medison sonosite aloka atl agilent hewlett-packard hp tomtec bruker united neusoft topcon zeiss carl nidek
    optos kowa heidelberg engineering medical systems system healthcare healthineers health ultrasound electronics
    imaging technologies technology meditec diagnostics ag inc ltd co corp gmbh corporation company horten
    """
)
_MODEL = re.compile(r"[A-Za-z0-9 _./+()-]{1,40}")


def vendor_words(stated: str) -> str:
    """A manufacturer's name without the words that are no manufacturer's.

    Example:
        >>> vendor_words("GE MEDICAL SYSTEMS"), vendor_words("Siemens at St. Mary's")
        ('GE MEDICAL SYSTEMS', 'Siemens')
    """
    return " ".join(word for word in stated.split() if word.strip(".,&").lower() in _VENDORS)


def model_name(stated: str) -> str:
    """The name of a kind of scanner; empty where it is none."""
    return stated if _MODEL.fullmatch(stated) else ""
