#!/bin/sh
# Install dcmcfg without a network: sh install.sh [FOLDER]
#
# FOLDER (~/dcmcfg) becomes a virtual environment. PYTHON (python3) is the interpreter. Neither pip nor the package
# python3-venv has to be installed, because the wheel of pip beside this file can run as it is.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=${1:-$HOME/dcmcfg}
python=${PYTHON:-python3}

fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

command -v "$python" >/dev/null || fail "$python not found; next: PYTHON=/path/to/python3.11 sh install.sh"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$("$python" -V 2>&1) is too old, Python 3.11 or newer is required; next: PYTHON=/path/to/python3.11 sh install.sh"
[ ! -e "$folder" ] || fail "$folder exists; next: remove it, or specify another folder: sh install.sh FOLDER"

"$python" -m venv --without-pip "$folder"
for pip in "$here"/wheels/pip-*.whl; do
  PYTHONPATH=$pip "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-index \
    --find-links "$here/wheels" dcmcfg || {
    rm -rf "$folder"
    fail "the wheels do not fit $("$python" -V 2>&1) on $(uname -m); see README.txt"
  }
done
printf 'Installed %s.\nRun: %s\n' "$("$folder/bin/dcmcfg" --version)" "$folder/bin/dcmcfg"
