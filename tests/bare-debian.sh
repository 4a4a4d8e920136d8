#!/usr/bin/env bash
# A wheel, or the source distribution, on a bare Debian 12 (SUITE=trixie: Debian 13): Python, and for
# a wheel no compiler and no development packages. Installs it in a virtual environment, trains,
# evaluates, writes a report. Needs root and debootstrap.
#
#   tests/bare-debian.sh DIRECTORY FILE      e.g. /var/tmp/bare build/wheels/lmrnn-*.whl
#
# DIRECTORY must not exist; it is left behind for a look around, and with KEEP=no removed.
set -euo pipefail

if [ $# -ne 2 ] || [ ! -f "$2" ] || [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
  exit 2
fi
root=$1
file=$2
here=$(cd "$(dirname "$0")" && pwd)
if [ -e "$root" ]; then
  echo "$root exists; name a new directory" >&2
  exit 2
fi
# shellcheck source=tests/debian_root.sh
source "$here/debian_root.sh"

leave() {
  leave_debian "$root"
  if [ "${KEEP:-yes}" = no ]; then rm -rf --one-file-system "$root"; fi
}
trap leave EXIT

packages=(python3 python3-venv)
case $file in
  *.tar.gz) mapfile -t -O 2 packages < <(awk '$1 == "build" || $1 == "python" { print $2 }' \
    "$here/../scripts/debian-packages.txt") ;;
esac
make_debian "$root" "${packages[@]}"
case $file in
  *.whl) if inside "$root" sh -c 'command -v cc || command -v gcc || command -v c++'; then
    echo "not bare: there is a compiler" >&2
    exit 1
  fi ;;
esac

cp "$file" "$root/root/"
cp "$here/../examples/tutorials/mine.toml" "$here/../examples/tutorials/ten_lines.py" "$root/root/"
in_root() { inside "$root" sh -c "cd /root && PATH=/root/env/bin:\$PATH && $1"; }
in_root 'python3 -m venv env'
timed "pip install $(basename "$file")" in_root "pip install --quiet --disable-pip-version-check \
  './$(basename "$file")[report]'"
in_root 'python --version; ldd --version | head -n 1; lmrnn --version'
timed "first training" in_root 'lmrnn train mine.toml --out run >/dev/null 2>train.log || { cat train.log; exit 1; }'
in_root 'lmrnn eval run --trials 200'
timed "first report" in_root 'lmrnn report run'
timed "ten lines of Python" in_root 'python ten_lines.py'
in_root 'lmrnn analyze run weights --json'
in_root 'lmrnn eval "zoo:$(python -c "import lmrnn; print(lmrnn.zoo()[0])")" --trials 200'
