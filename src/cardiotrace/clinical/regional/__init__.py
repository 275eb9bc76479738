"""Short-axis regional function of the left ventricle: segments, thickness of the wall, strain from contours."""
