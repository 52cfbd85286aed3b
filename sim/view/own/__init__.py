"""What `lull calibrate data=FILE` shows: a forecast from a user's own counts, or its skill."""
