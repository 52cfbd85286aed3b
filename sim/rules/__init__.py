"""The equations of the model, one module for each role."""
