"""What the machine costs, as ratios against a bare scan in the same run."""
