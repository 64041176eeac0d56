"""Solutions of ordinary differential equations, and their derivatives by the adjoint equation or with the state."""
