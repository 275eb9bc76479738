"""The application: exams by HTTP and DICOM, contours corrected in the browser, results signed and sent."""
