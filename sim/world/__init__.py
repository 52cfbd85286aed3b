"""What is simulated: actors, parameters, places, dates and departures from history."""
