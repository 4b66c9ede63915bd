"""The page: what it shows, to whom, and what can never be read as markup."""
