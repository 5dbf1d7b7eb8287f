"""Who acts: accounts, machine clients, and the roles they hold somewhere."""
