"""A synthetic county: deliveries as departments write them, with their faults, and the truth."""
