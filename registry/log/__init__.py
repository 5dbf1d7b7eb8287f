"""Audit events: one per change, in the same transaction."""
