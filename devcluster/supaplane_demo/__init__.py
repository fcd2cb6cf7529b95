"""`make demo`: the whole platform on one machine, and a first project made over REST."""
