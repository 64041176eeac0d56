"""What holds for every test: the engine is the one asked for, nothing is skipped silently, Hypothesis is repeatable.

ZEN_SHARE=2/3 runs the second of three shares of the suite; see `shares.py` and `.ci/run`.
"""

import gc
import os

import hypothesis
import pytest
import shares
from _pytest.doctest import DoctestModule

from zen import backend

_ASKED = os.environ.get("ZEN_BACKEND", "compiled")

hypothesis.settings.register_profile("zen", deadline=None, derandomize=True, database=None, max_examples=60)
hypothesis.settings.register_profile("thorough", deadline=None, database=None, max_examples=1000)
hypothesis.settings.load_profile("zen")


def pytest_report_header():
    return f"zen engine: {backend.NAME}"


def pytest_sessionstart():
    package = {"compiled": "zen._core", "reference": "zen._reference"}.get(_ASKED, "none")
    if backend.NAME != _ASKED or not backend.Tensor.__module__.startswith(package):
        pytest.exit(f"ZEN_BACKEND asks for {_ASKED!r}, but the engine {backend.NAME!r} was loaded", returncode=3)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file():
    """Tests have no examples in their docstrings, so that nothing needs to look for any."""
    return [found for found in (yield) if not isinstance(found, DoctestModule)]


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is collected lives as long as the session: no collector needs to go through tens of thousands of tests.

    Tests call gc.collect() often, and would wait half a second each time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(config, items):
    share = os.environ.get("ZEN_SHARE")
    if share is None:
        return
    try:
        mine = shares.belong([item.nodeid for item in items], *shares.parse(share))
    except ValueError as e:
        pytest.exit(str(e), returncode=3)
    config.hook.pytest_deselected(items=[item for item, kept in zip(items, mine, strict=True) if not kept])
    items[:] = [item for item, kept in zip(items, mine, strict=True) if kept]


def pytest_terminal_summary(terminalreporter):
    for report in _skipped(terminalreporter):
        terminalreporter.write_line(f"SKIPPED, which counts as a failure: {report.nodeid}", red=True)


def pytest_sessionfinish(session):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and _skipped(reporter) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _skipped(reporter):
    return [r for r in reporter.stats.get("skipped", []) if not hasattr(r, "wasxfail")]


@pytest.fixture
def engine():
    """The name of the engine under test."""
    return backend.NAME
