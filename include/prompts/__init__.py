"""Prompt texts, one file per prompt."""
