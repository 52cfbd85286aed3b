"""Figures of studies, one module each: from a labelled dataset to a figure."""
