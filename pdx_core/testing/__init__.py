"""The conformance kit: what pdx expects of each kind of component, as functions, as a pytest plugin and as a command.

    pdx plugin check tinynet                             # the command
    checks = plugin_checks("pdx_tinynet.plugin")         # plain objects; call one, and it raises CheckFailure
    @pytest.mark.pdx_plugin("pdx_tinynet.plugin")        # the pytest plugin: one test per check
    def test_conformance(pdx_check):
        pdx_check()

The plugins of the project are tested with the same checks. Importing this package imports nothing heavy.
"""

from pdx_core.testing.checks import Check, CheckFailure, NotCheckable, Outcome, run_checks
from pdx_core.testing.plugin import component_checks, plugin_checks

__all__ = [
    "Check",
    "CheckFailure",
    "NotCheckable",
    "Outcome",
    "component_checks",
    "plugin_checks",
    "run_checks",
]
