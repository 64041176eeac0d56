"""Older libraries' interfaces on zen's engine, so that programs written for them run with only their import changed.

`zenlib`, `gradflow`, `graph` and `scalar` each delegate values and gradients to zen; none differentiates by itself.
They are loaded when first used: `import zen.compat.zenlib.nn`.
"""
