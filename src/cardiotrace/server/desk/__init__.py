"""Exams that people correct: kept open in a process of their own, every edit in the journal."""
