"""A live ensemble: settings in, a chart, numbers and verdicts out, fast enough to follow a hand on a slider."""
