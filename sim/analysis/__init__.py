"""Analyses of ensembles, one module or small package a method."""
