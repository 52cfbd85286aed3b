"""What outcomes hang on: designs that a sweep lives, and indices of sensitivity with their intervals."""
