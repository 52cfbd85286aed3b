"""What a calibration looks like: tables for the terminal, figures for a report."""
