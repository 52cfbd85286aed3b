"""Forecasts from a user's event data, scored against baselines."""
