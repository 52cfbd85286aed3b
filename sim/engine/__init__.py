"""How time passes: engines that run the same rules and must agree to the last bit."""
