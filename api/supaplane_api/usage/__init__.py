"""How much of what does a project use? What can be looked up in its own database."""
