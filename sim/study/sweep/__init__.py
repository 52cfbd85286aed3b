"""Sweeps: from a grid, a sample or a table of points to a store that survives, resumes and grows."""
