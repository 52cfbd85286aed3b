"""Explore: a live ensemble that follows every change of a setting."""
