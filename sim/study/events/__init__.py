"""Reading a user's own events: exports of event databases, and small tables of cumulative counts."""
