"""Bayesian calibration: observation models, importance weighting, simulation-based calibration."""
