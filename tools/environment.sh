#!/bin/sh
# Make the development environment .venv, or bring an existing one up to date in place (it is never wiped
# while it works: others may be running from it). `make` calls this when pyproject.toml or the lock changes.
#
# Needs python3 (3.11 or newer, with venv and pip) and git. uv does the installing, in a seventh of pip's
# time, and comes from the lock file itself; where uv cannot (a mirror or certificate that only pip is
# configured for), pip installs the same hashes.
set -eu

cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV
lock=requirements/dev.lock
python=.venv/bin/python

say() { printf '%s\n' "comity: $*" >&2; }

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

suitable() { recent "$1" && "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

interpreter() {
    # shellcheck disable=SC2086  # a list of names
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3}; do
        if suitable "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    say "no suitable Python. Needed: Python 3.11 or newer with the modules venv and ensurepip."
    say "${PYTHON:-python3} is: $("${PYTHON:-python3}" --version 2>&1 || echo 'not there')."
    say "On Debian: apt-get install python3 python3-venv."
    say "Another interpreter: make PYTHON=/path/to/python3.12 ..."
    return 1
}

install_with_uv() {
    if ! [ -x .venv/bin/uv ]; then
        awk '/^[a-z]/ { keep = /^uv==/ } keep && !/^ *#/' "$lock" >.venv/uv.txt
        "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt || return 1
    fi
    .venv/bin/uv pip install --quiet --compile-bytecode --python "$python" --require-hashes -r "$lock"
}

install_with_pip() {
    "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
}

if ! command -v git >/dev/null 2>&1; then
    say "git is needed (the demo and the tests make repositories). On Debian: apt-get install git."
    exit 1
fi

if ! { recent "$python" && "$python" -m pip --version >/dev/null 2>&1; }; then
    chosen=$(interpreter)
    say "making .venv with $("$chosen" --version)"
    "$chosen" -m venv --clear .venv
fi

say "installing $lock into .venv"
if ! install_with_uv; then
    say "uv could not install it; trying pip with its own configuration (slower)"
    install_with_pip
fi
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
touch .venv/.stamp
