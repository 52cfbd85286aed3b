"""What the verbs share: their results in Python and on the command line, and mistakes found before heavy imports."""
