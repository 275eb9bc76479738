"""Revisions of the database's form, run by Alembic. Files are numbered: 0001_first.py, 0002_..., each once."""
