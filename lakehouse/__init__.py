"""The machine: declarations, runs, reading and writing. It knows tables, never the domain."""
