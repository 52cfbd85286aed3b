"""Experiments: parameter sets, ensembles, sweeps, stores and folders of results."""
