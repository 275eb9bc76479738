"""Copies of DICOM objects without what tells whose they are: what is allowed is copied, and nothing else."""
