"""Exams as clinics keep them: DICOM files, read into images and written beside them."""
