"""Declarations: one module per domain, one class per table."""
