"""Members of organizations: who belongs to one, in which role, and how people come and go."""
