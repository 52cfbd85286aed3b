"""Scenarios side by side under the same luck: paired effects, and what each choice may be regretted for."""
