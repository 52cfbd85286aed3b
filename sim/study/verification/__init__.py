"""Made again and compared: whether a folder of results is what its manifest says, to the last bit."""
