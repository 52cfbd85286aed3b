"""Sweeps: designs, the store, workers and the reader."""
