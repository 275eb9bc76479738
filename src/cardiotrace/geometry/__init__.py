"""Shapes on grids: resampling, contours, surfaces, connected components."""
