"""Scenario discovery: where in the space of parameters an outcome comes from."""
