"""What was made, held against published figures."""
