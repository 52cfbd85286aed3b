"""Forecasts from a user's own counts, and how good they are beside simpler ones."""
