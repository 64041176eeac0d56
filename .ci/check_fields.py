"""No compiled module reads a field of NumPy's types as an attribute. `make lint` runs this.

A field that NumPy's pxd does not declare, in this release or in the next, is looked up in Python instead, without a
word and with another type; where bounds checks are off, indexing what comes out reads past its end. So fields are read
by the PyArray_ macros, or from a struct that the module declares by itself, and an attribute that is meant to be looked
up in Python says so: `(<object>a).shape`. Methods may be called.
"""

import sys
import tempfile
from pathlib import Path

from Cython.Compiler import Main, Pipeline
from Cython.Compiler.ExprNodes import AttributeNode, CallNode
from Cython.Compiler.ParseTreeTransforms import AnalyseExpressionsTransform
from Cython.Compiler.Visitor import TreeVisitor

CORE = Path("zen", "_core")
create_pipeline = Pipeline.create_pyx_pipeline
found: list[str] = []
seen = 0


class Attributes(TreeVisitor):
    """Notes each attribute of an object whose type is declared by NumPy, unless it is called."""

    def __call__(self, tree):
        self.called = set()
        self.visit(tree)
        return tree

    def visit_Node(self, node):
        global seen
        if isinstance(node, CallNode):
            self.called.add(getattr(node, "function", None))
        elif isinstance(node, AttributeNode) and getattr(node.obj.type, "is_extension_type", False):
            seen += 1
            if node.obj.type.module_name == "numpy" and node not in self.called:
                source, line, _ = node.pos
                found.append(f"{source.get_description()}:{line}: {node.obj.type.name}.{node.attribute}")
        self.visitchildren(node)


def with_attributes(*arguments, **keywords):
    pipeline = create_pipeline(*arguments, **keywords)
    return Pipeline.insert_into_pipeline(pipeline, Attributes(), after=AnalyseExpressionsTransform)


def main():
    Pipeline.create_pyx_pipeline = with_attributes
    paths = [str(path) for path in sorted(CORE.glob("*.pyx")) if not path.name.startswith("_kernels_")]
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            options = Main.CompilationOptions(output_file=f"{folder}/out.c", language_level=3, include_path=["."])
            module = path.removesuffix(".pyx").replace("/", ".")
            if Main.compile_single(path, options, module).num_errors:
                sys.exit(f"{path} could not be translated")
    if not seen:
        sys.exit("not one attribute was seen: this check no longer fits Cython")
    if found:
        sys.exit("fields of NumPy's types, read as attributes:\n" + "\n".join(found))
    print(f"{len(paths)} modules read no field of NumPy's types as an attribute")


main()
