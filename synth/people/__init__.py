"""People: households, names, numbers, and who belongs to which household when."""
