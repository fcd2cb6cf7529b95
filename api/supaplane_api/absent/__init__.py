"""What Studio can ask for and this platform does not do: each is refused with its reason."""
