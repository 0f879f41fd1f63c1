"""Lives: what households live on, what befalls them, what they consume and need."""
