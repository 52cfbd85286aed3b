"""The verbs of the command, one module each with a function `main(request)`."""
