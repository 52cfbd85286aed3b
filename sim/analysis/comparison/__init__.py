"""Paired comparison of scenarios under common random numbers."""
