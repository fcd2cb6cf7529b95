"""Who are you? Accounts, passwords, sessions and tokens, as GoTrue's clients know them."""
