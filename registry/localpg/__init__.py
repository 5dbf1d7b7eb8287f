"""A private PostgreSQL for the zero-setup run."""

from registry.localpg.cluster import APP, Cluster
from registry.localpg.host import LocalPgError, end_with_parent
from registry.localpg.programs import find_binaries

__all__ = ["APP", "Cluster", "LocalPgError", "end_with_parent", "find_binaries"]
