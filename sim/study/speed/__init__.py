"""How fast the engines are: timed side by side, against each other and against C."""
