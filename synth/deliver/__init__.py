"""Deliveries: files, manifests, faults."""
