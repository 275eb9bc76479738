"""Trainings one after the other, by priority: here, or on a machine that has neither the data nor much installed."""
