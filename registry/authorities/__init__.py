"""The tree of health authorities, their settings and calendars."""
