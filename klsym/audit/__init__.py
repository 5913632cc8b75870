"""Implementations as subjects, measured against a reference of their own; klsym is the first subject."""
