"""The operator: subscribers, cells, calls, data, bills."""
