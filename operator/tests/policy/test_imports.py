"""The policy is used where there is no Kubernetes: it must come with the standard library alone."""

import subprocess
import sys


def test_the_policy_imports_only_the_standard_library() -> None:
    script = (
        "import sys, imagemill_operator.policy;"
        "print([m for m in sys.modules if m.split('.')[0] not in sys.stdlib_module_names"
        " and not m.startswith(('imagemill_operator', '__', '_editable', 'mypyc', '_hypothesis', 'sitecustomize'))])"
    )
    before = "import sys; print([m for m in sys.modules if m.split('.')[0] not in sys.stdlib_module_names])"
    run = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for code in (script, before)
    ]
    loaded, always = (set(eval(result.stdout)) for result in run)
    assert loaded - always == set()
