"""How sure a measured number is: samples of outlines, signs of an error, conformal calibration."""
