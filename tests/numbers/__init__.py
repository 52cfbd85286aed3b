"""What rules count with: error bounds, known answers, the same bits plain and compiled."""
