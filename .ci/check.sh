#!/usr/bin/env bash
# Runs every check that is no test; all of them, so that one run shows everything there is to mend.
set -uo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
bin=$PWD/.venv/bin
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
failures=()

check() {
    local name=$1
    shift
    echo "== $name"
    "$@" || failures+=("$name")
}

wheel() {
    "$bin/python" -m build --wheel --outdir "$wheels" . >"$wheels/log" 2>&1 || { cat "$wheels/log"; return 1; }
    "$bin/check-wheel-contents" "$wheels" || return 1
    "$bin/python" - "$wheels"/*.whl <<'END'
import sys
import zipfile

names = zipfile.ZipFile(sys.argv[1]).namelist()
stray = [n for n in names if not n.startswith("depthmend/") and ".dist-info/" not in n]
missing = [n for n in ("depthmend/main.py", "depthmend/app/cli.py") if n not in names]
if stray or missing:
    sys.exit(f"the wheel should hold depthmend/ and nothing else; stray: {stray}, missing: {missing}")
END
}

check "ruff check" "$bin/ruff" check .
check "ruff format" "$bin/ruff" format --check .
check "mypy" "$bin/mypy"
check "import-linter" "$bin/lint-imports"
check "wheel" wheel

if [ "${#failures[@]}" -gt 0 ]; then
    printf -v list '%s, ' "${failures[@]}"
    echo "Failed: ${list%, }"
    exit 1
fi
echo "Every check passed."
