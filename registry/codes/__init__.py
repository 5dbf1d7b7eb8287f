"""Code tables: packaged rows, kept as data an operator can edit."""
