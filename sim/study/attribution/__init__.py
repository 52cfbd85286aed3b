"""What made it: an outcome shared out among the mechanisms of the model."""
