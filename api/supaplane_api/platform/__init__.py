"""What Studio's pages ask for whatever the project: answered truly, and mostly with nothing."""
