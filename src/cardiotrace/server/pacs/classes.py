"""Kinds of objects and how they may be compressed, as far as they are taken from other programs."""

IMAGE_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.3.1",  # ultrasound, several frames
    "1.2.840.10008.5.1.4.1.1.6.1",  # ultrasound
    "1.2.840.10008.5.1.4.1.1.6.2",  # enhanced volumes of ultrasound
    "1.2.840.10008.5.1.4.1.1.3",  # retired: ultrasound, several frames
    "1.2.840.10008.5.1.4.1.1.6",  # retired: ultrasound
    "1.2.840.10008.5.1.4.1.1.4",  # MR
    "1.2.840.10008.5.1.4.1.1.4.1",  # enhanced MR
    "1.2.840.10008.5.1.4.1.1.4.3",  # enhanced MR in colour
)
"""Storage classes of images that exams are made of."""
FURTHER_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.7",  # secondary captures
    "1.2.840.10008.5.1.4.1.1.7.1",
    "1.2.840.10008.5.1.4.1.1.7.2",
    "1.2.840.10008.5.1.4.1.1.7.3",
    "1.2.840.10008.5.1.4.1.1.7.4",
    "1.2.840.10008.5.1.4.1.1.66.4",  # segmentation
    "1.2.840.10008.5.1.4.1.1.88.22",  # enhanced and comprehensive reports, in three dimensions too
    "1.2.840.10008.5.1.4.1.1.88.33",
    "1.2.840.10008.5.1.4.1.1.88.34",
    "1.2.840.10008.5.1.4.1.1.104.1",  # a document as PDF
    "1.2.840.10008.5.1.4.1.1.11.1",  # how an image is to be shown
)
"""Of what else a study holds: taken, so that a study is whole, and not analysed."""
PLAIN = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
"""Transfer syntaxes without compression: explicit and implicit, little endian."""
COMPRESSED = (
    "1.2.840.10008.1.2.4.50",  # JPEG
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",  # JPEG-LS
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",  # JPEG 2000
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201",  # high-throughput JPEG 2000
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
    "1.2.840.10008.1.2.5",  # run lengths
    "1.2.840.10008.1.2.1.99",  # deflated
    "1.2.840.10008.1.2.4.100",  # MPEG-2
    "1.2.840.10008.1.2.4.102",  # MPEG-4
    "1.2.840.10008.1.2.4.103",
)
"""That images may travel in, as they lie in the scanner: nothing is decompressed on the way."""
