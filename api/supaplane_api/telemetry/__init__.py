"""What Studio wants to tell about its use: nothing is kept."""
