"""The questions put to many simulated histories."""
