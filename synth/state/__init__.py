"""The state: what its registers, surveys, lists and projects see and do."""
