"""Learn: every rule with its formula and its curve, generated from the rules themselves."""
