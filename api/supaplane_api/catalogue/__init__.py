"""What a project may be made of, and what it is made of: sizes, regions, versions, health."""
