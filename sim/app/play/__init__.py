"""Play: one run of the reference model, day by day, as a plot and in words."""
