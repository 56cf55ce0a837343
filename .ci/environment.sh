# Sourced by ./demo and ./test: finds a Python and makes virtual environments that are used again while
# pyproject.toml stays the same. POSIX sh.

# Prints the first Python >= 3.11 there is; $PYTHON is tried first.
find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return 0
        fi
    done
    echo "expected Python 3.11 or later on PATH, found none. Install it, or set PYTHON to its path." >&2
    return 1
}

# environment FOLDER INSTALL: makes FOLDER, calls the function INSTALL in it, and marks it as complete.
# Afterwards FOLDER/bin/python is the Python to use.
environment() {
    folder=$1 install=$2
    python=$(find_python) || exit 1
    stamp=$("$python" -c 'import hashlib, sys; print(hashlib.sha256(open("pyproject.toml", "rb").read()).hexdigest(), sys.version)')
    if [ -x "$folder/bin/python" ] && [ "$(cat "$folder/complete" 2>/dev/null)" = "$stamp" ]; then
        return 0
    fi
    echo "making $folder (once; a few minutes with a slow network) ..."
    rm -rf "$folder"
    "$python" -m venv "$folder" || {
        echo "Python's venv module does not work; on Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    }
    "$install" "$folder/bin/python" || {
        echo "installing into $folder failed, see above" >&2
        exit 1
    }
    printf '%s\n' "$stamp" >"$folder/complete"
}

# pip_install PYTHON WORDS...: pip, quiet.
pip_install() {
    python=$1
    shift
    "$python" -m pip install -qq --disable-pip-version-check "$@"
}
