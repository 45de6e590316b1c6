#!/usr/bin/env bash
# Runs the tests: first what needs no OpenGL, without a screen; then OpenGL widgets on a virtual X server.
# Arguments go to both runs of pytest.
# TEST_WORKERS: how many processes share the first run (2; 0 for none, as a debugger wants it). Half of its time
# is waiting for cameras, children and the clock. A file stays in one process, so that what its tests share is
# made once; files go out in their own order, because reordered ones put the longest last.
set -uo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
NOTHING_COLLECTED=5
workers=${TEST_WORKERS:-2}

# The operator's settings, sessions and logs are no business of the tests.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export DEPTHMEND_CONFIG=$scratch/settings.toml DEPTHMEND_DATA=$scratch/data DEPTHMEND_LOGS=$scratch/logs

started=$SECONDS
QT_QPA_PLATFORM=${TEST_PLATFORM:-offscreen} .venv/bin/python -m pytest -p no:xvfb -m "not gl and not huge" \
    -n "$workers" --dist loadfile --no-loadscope-reorder "$@"
plain=$?
plain_s=$((SECONDS - started))

started=$SECONDS
if command -v xvfb-run >/dev/null && command -v xauth >/dev/null; then
    QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1920x1080x24" \
        .venv/bin/python -m pytest -p no:xvfb -m gl "$@"
    gl=$?
else
    echo "The OpenGL tests need a virtual X server; run: sudo apt-get install xvfb xauth" >&2
    gl=1
fi
gl_s=$((SECONDS - started))

verdict() {
    case $1 in
        0) echo "passed" ;;
        "$NOTHING_COLLECTED") echo "none found" ;;
        *) echo "FAILED (exit status $1)" ;;
    esac
}
echo
echo "Tests without OpenGL: $(verdict $plain), $plain_s s"
echo "Tests with OpenGL:    $(verdict $gl), $gl_s s"
for status in $plain $gl; do
    [ "$status" = 0 ] || [ "$status" = $NOTHING_COLLECTED ] || exit "$status"
done
[ "$plain" = 0 ] || [ "$gl" = 0 ] # a run that found no test at all proves nothing
