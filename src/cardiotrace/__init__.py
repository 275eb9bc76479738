"""CardioTrace: trace the chambers of the heart in echo and cine-MRI, and measure what the traces mean."""

__version__ = "0.1.0.dev0"
