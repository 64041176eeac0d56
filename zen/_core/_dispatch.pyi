from typing import Any

simd: str

def find(name: str) -> tuple[Any, ...] | None: ...
