#!/usr/bin/env bash
# A make target in a fresh clone on a fresh Debian 12: debootstrap, clone, make, timed. Needs root
# and debootstrap; takes a few minutes and about 2 GB.
#
#   tests/fresh-debian.sh DIRECTORY TARGET...      e.g. /var/tmp/fresh test quickstart
#
# DIRECTORY must not exist; it is left behind for a look around, and with KEEP=no removed.
# The minimal system gets make and git, which are what the README asks a user to have. Inside, apt
# and pip are set up as outside: the same sources, proxies, keys and certificates.
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

say() { printf '\n==> %s\n' "$*"; }
timed() { # NAME COMMAND...
  local name=$1 begin
  shift
  say "$name"
  begin=$SECONDS
  "$@"
  printf '==> %s: %d s\n' "$name" "$((SECONDS - begin))"
}
# A clean environment, but for what it takes to reach the registries.
mapfile -t network < <(env | grep -iE '^((https?|no)_proxy|PIP_(INDEX_URL|EXTRA_INDEX_URL))=' || true)
certificates=/etc/ssl/certs/ca-certificates.crt
if [ -e "$certificates" ]; then network+=(PIP_CERT=/etc/ssl/host-certificates.crt); fi
inside() {
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    "${network[@]}" "$@"
}

leave() {
  for mount in dev/shm dev/pts dev sys proc; do umount --lazy "$root/$mount" 2>/dev/null || true; done
  if [ "${KEEP:-yes}" = no ]; then rm -rf --one-file-system "$root"; fi
}
trap leave EXIT

# The first Debian archive of the host's own configuration.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null |
  grep -m1 '/debian/\?$' || true)
bootstrap() { debootstrap --variant=minbase bookworm "$root" "$1" >/dev/null; }
timed "debootstrap" bootstrap "${mirror:-http://deb.debian.org/debian}"

rm -rf "$root/etc/apt"
cp -a /etc/apt "$root/etc/apt"
cp -aL /usr/share/keyrings/. "$root/usr/share/keyrings/"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
mkdir -p "$root/etc/ssl"
if [ -e "$certificates" ]; then cp -L "$certificates" "$root/etc/ssl/host-certificates.crt"; fi
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --bind /dev "$root/dev"
mount --bind /dev/pts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"

timed "apt install make git" inside sh -c \
  'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends make git >/dev/null'

# A clone of what is committed, and nothing else.
git clone --quiet --no-hardlinks "$repository" "$root/root/lmrnn"

for target in "$@"; do
  timed "make $target" inside make -C /root/lmrnn "$target"
done
