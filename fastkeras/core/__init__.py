"""What layers, models and training share: variables, activations in transit, and the state of one pass."""
