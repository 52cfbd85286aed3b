"""Two scenarios under the same luck: where they part, and what follows from that."""
