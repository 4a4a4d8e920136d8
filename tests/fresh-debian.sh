#!/usr/bin/env bash
# A make target in a fresh clone on a fresh Debian 12: debootstrap, clone, make, timed. Needs root
# and debootstrap; takes a few minutes and about 2 GB.
#
#   tests/fresh-debian.sh DIRECTORY TARGET...      e.g. /var/tmp/fresh test quickstart
#
# DIRECTORY must not exist; it is left behind for a look around, and with KEEP=no removed.
# The minimal system gets make and git, which are what the README asks a user to have.
set -euo pipefail

if [ $# -lt 2 ] || [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
  exit 2
fi
root=$1
shift
repository=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
if [ -e "$root" ]; then
  echo "$root exists; name a new directory" >&2
  exit 2
fi
# shellcheck source=tests/debian_root.sh
source "$repository/tests/debian_root.sh"

leave() {
  leave_debian "$root"
  if [ "${KEEP:-yes}" = no ]; then rm -rf --one-file-system "$root"; fi
}
trap leave EXIT
make_debian "$root" make git

# A clone of what is committed, and nothing else.
git clone --quiet --no-hardlinks "$repository" "$root/root/lmrnn"

for target in "$@"; do
  timed "make $target" inside "$root" make -C /root/lmrnn "$target"
done
