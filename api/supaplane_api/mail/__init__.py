"""Mail to people: what is asked for is a row first, and a loop of every replica sends it."""
