"""Search over levers for the settings that no other dominates."""
