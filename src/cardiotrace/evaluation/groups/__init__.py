"""Classifiers of groups: tables of indices, fits, cross-validation. Nothing here is needed to use one."""
