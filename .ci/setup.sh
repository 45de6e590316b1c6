#!/usr/bin/env bash
# Makes .venv and installs what is missing; the second time it does nothing and takes no time.
#   .ci/setup.sh run    what the program needs
#   .ci/setup.sh dev    that, and what tests and checks need
# TORCH chooses another build of torch, as arguments of pip; the choice is remembered in .venv.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

kind=${1:-dev}
venv=$PWD/.venv
python=$venv/bin/python

say() { printf '%s\n' "$*" >&2; }

# Libraries of the system that wheels do not bring. "a|b": either will do.
libraries=(
    libegl1 libgl1 libgl1-mesa-dri libfontconfig1 "libglib2.0-0|libglib2.0-0t64" libdbus-1-3
    libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0
)
[ "$kind" = run ] || libraries+=(xvfb xauth)

missing_packages() {
    command -v dpkg-query >/dev/null || return 0
    local entry name found all here
    all=" ${libraries[*]} "
    # shellcheck disable=SC2086 # it is a list
    here=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' ${all//|/ } 2>/dev/null || true)"
    for entry in "${libraries[@]}"; do
        found=
        for name in ${entry//|/ }; do
            [[ $here != *" installed:$name "* ]] || found=yes
        done
        [ -n "$found" ] || printf '%s\n' "$entry"
    done
}

# Each "a|b" becomes the one that this release of Debian or Ubuntu has.
to_install() {
    local entry name
    for entry in "$@"; do
        for name in ${entry//|/ }; do
            if [ -n "$(apt-cache policy "$name" 2>/dev/null | grep 'Candidate: [^(]')" ]; then
                printf '%s\n' "$name"
                break
            fi
        done
    done
}

apt_install() {
    local root=()
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || return 1
        root=(sudo -n)
    fi
    command -v apt-get >/dev/null || return 1
    say "Installing with apt: $*"
    "${root[@]}" apt-get update -qq >&2 || return 1
    local names
    mapfile -t names < <(to_install "$@")
    # Five minutes, because a fresh machine may still be holding apt's lock for its own upgrades.
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "${names[@]}" >&2
}

mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ] && ! apt_install "${missing[@]}"; then
    say "Some system packages are missing; the window or its tests may not start before you run:" \
        "sudo apt-get install ${missing[*]%%|*}"
fi

# The virtual environment.
suits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        if suits "$name"; then
            printf '%s\n' "$name"
            return
        fi
    done
    return 1
}

make_venv() {
    "$1" -m venv "$venv" >/dev/null 2>&1 && "$python" -m pip --version >/dev/null 2>&1
}

# Python packages, unless they are those of the last time.
remembered=$venv/depthmend-torch
torch=${TORCH:-}
[ -n "$torch" ] || torch=$(cat "$remembered" 2>/dev/null || echo "torch==2.13.0")
state=$(cat pyproject.toml .ci/setup.sh - <<<"$torch $PWD" | sha256sum | cut -d ' ' -f 1)
stamp=$venv/depthmend-$kind
if suits "$python" && [ "$(cat "$stamp" 2>/dev/null)" = "$state" ]; then
    exit 0
fi

if ! suits "$python" || ! "$python" -m pip --version >/dev/null 2>&1; then
    if ! base=$(find_python); then
        say "DepthMend needs Python 3.11, 3.12 or 3.13, and this machine has none:" \
            "install one (Debian 12, Ubuntu 24.04: sudo apt-get install python3 python3-venv) and try again."
        exit 1
    fi
    rm -rf "$venv"
    if ! make_venv "$base"; then
        version=$("$base" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
        if ! apt_install python3-venv "$version-venv" || ! make_venv "$base"; then
            rm -rf "$venv"
            say "Python cannot make a virtual environment here; run: sudo apt-get install $version-venv"
            exit 1
        fi
    fi
fi

say "Installing Python packages into .venv; the first time this takes some minutes."
pip() { "$python" -m pip --disable-pip-version-check --quiet "$@" >&2; }
failed() {
    say "pip could not install everything (its words are above);" \
        "check the network connection and the room on the disk, then try again."
    exit 1
}

if [ -f "$remembered" ] && [ "$(cat "$remembered")" != "$torch" ]; then
    pip uninstall -y torch # pip takes a CPU build and a CUDA build of one version for the same thing
fi
# First and alone: with the other requirements beside it pip would look for the newest torch.
# shellcheck disable=SC2086 # it is a list of arguments
pip install $torch || failed
printf '%s\n' "$torch" >"$remembered"

requirements=()
if [ "$kind" = dev ]; then
    mapfile -t requirements < <("$python" -c '
import pathlib, tomllib
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())
print(*project["dependency-groups"]["dev"], sep="\n")')
fi
pip install --editable . "${requirements[@]}" || failed
if [ "$kind" = dev ] && ! pip install --no-deps "pyorbbecsdk2>=2.1.2"; then # pyproject.toml says why without
    say "The Orbbec SDK does not install here; its tests are skipped."
fi

# The wheel nests the packages below `depthmend`, which a checkout does not have: pip's own script would fail.
printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$python" "$PWD/main.py" >"$venv/bin/depthmend"
chmod +x "$venv/bin/depthmend"

printf '%s\n' "$state" >"$stamp"
[ "$kind" = run ] || printf '%s\n' "$state" >"$venv/depthmend-run"
