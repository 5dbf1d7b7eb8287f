"""What may happen: the lifecycles, the rules and the clock. Pure; no I/O, no wall clock."""
