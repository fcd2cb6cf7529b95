"""Edge functions of a project and the variables that they see."""
