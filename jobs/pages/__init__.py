"""Pages made from gold: one HTML file each, whole in itself. No Spark."""
