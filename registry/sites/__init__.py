"""The authorised practice: where a physician may practise."""
