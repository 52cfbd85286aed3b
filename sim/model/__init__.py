"""The model as data: cast, timeline, scenarios, parameters, facts and the configuration that composes them."""
