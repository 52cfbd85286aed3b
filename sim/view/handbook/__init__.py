"""The tables of the documents, written from the code, so that what a reader finds there is what the model does."""
