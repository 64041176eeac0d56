"""Sparse Jacobians and Hessians: patterns from what was recorded, colours, and compressed products."""
