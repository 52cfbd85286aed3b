"""Global sensitivity analysis: Sobol, Morris, PAWN, delta."""
