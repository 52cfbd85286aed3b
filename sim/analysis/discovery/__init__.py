"""Scenario discovery (PRIM)."""
