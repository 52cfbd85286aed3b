"""Calibration: what a handful of figures say about the free parameters, checked, and what they do not say."""
