"""Measurements: zen's two engines, their kernels, and other libraries. Not part of the package, never a test.

`python -m benchmarks` measures the workloads, `python -m benchmarks.growth` what grows with the graph, and
`pytest benchmarks` times workloads and kernels one by one. See README.md here.
"""
