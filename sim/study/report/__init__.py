"""What a report holds: a comparison, an attribution, and what is known of the numbers behind them."""
