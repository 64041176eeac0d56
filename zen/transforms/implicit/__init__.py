"""What solves an equation, and its derivatives by the theorem on implicit functions."""
