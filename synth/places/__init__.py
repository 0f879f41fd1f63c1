"""Places: divisions, positions, effects; old codes and new ones."""
