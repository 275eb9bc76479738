"""A client of the application for programs: no torch, and nothing of the server."""
