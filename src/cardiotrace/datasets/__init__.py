"""Annotated images on disk: one file per data set, and what all of them need (splits, checks, a packed cache).

Nothing is loaded here: an exam on disk needs none of the data sets, and phantoms, which are one, need much.
"""
