"""The command line: a table of verbs, each a thin layer over a workflow."""
