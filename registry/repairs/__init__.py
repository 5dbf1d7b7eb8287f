"""Back-office repair: two people, a reason, and rows that are only added."""
