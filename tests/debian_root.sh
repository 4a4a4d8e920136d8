# Sourced by scripts that try something on a fresh Debian (12 unless SUITE says otherwise) in a
# directory; needs root.
#
#   make_debian ROOT PACKAGE...   debootstrap, and these packages; apt and pip are set up inside as
#                                 outside: the same sources, proxies, keys and certificates.
#                                 SUITE=trixie: Debian 13, from the same archive
#   inside ROOT COMMAND...        runs it there in a clean environment
#   leave_debian ROOT             unmounts what was mounted

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
  local root=$1
  shift
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    "${network[@]}" "$@"
}

leave_debian() {
  local mount
  for mount in dev/shm dev/pts dev sys proc; do umount --lazy "$1/$mount" 2>/dev/null || true; done
}

suite=${SUITE:-bookworm}
debootstrap_quietly() { debootstrap --variant=minbase "$suite" "$1" "$2" >/dev/null; }

make_debian() {
  local root=$1 mirror
  shift
  # The first Debian archive of the host's own configuration.
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null |
    grep -m1 '/debian/\?$' || true)
  timed "debootstrap" debootstrap_quietly "$root" "${mirror:-http://deb.debian.org/debian}"

  rm -rf "$root/etc/apt"
  cp -a /etc/apt "$root/etc/apt"
  if ! grep -qs "VERSION_CODENAME=$suite" /etc/os-release; then
    rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
    echo "deb ${mirror:-http://deb.debian.org/debian} $suite main" >"$root/etc/apt/sources.list"
  fi
  cp -aL /usr/share/keyrings/. "$root/usr/share/keyrings/"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  mkdir -p "$root/etc/ssl"
  if [ -e "$certificates" ]; then cp -L "$certificates" "$root/etc/ssl/host-certificates.crt"; fi
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount --bind /dev "$root/dev"
  mount --bind /dev/pts "$root/dev/pts"
  mount -t tmpfs tmpfs "$root/dev/shm"

  timed "apt install $*" inside "$root" sh -c "apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install --yes --no-install-recommends $* >/dev/null"
}
