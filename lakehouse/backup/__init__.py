"""Backup and restore (备份与恢复): lake, vault key, operations store, landing, models."""
