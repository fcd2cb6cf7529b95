"""What is connected to the platform: nothing."""
