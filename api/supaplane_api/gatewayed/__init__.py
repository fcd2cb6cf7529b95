"""Users and files of a project, through its own gateway."""
