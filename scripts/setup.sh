#!/usr/bin/env bash
# Installs the Debian packages that this project needs, or says which are missing.
#
#   scripts/setup.sh [GROUP...]     groups of scripts/debian-packages.txt; "build" if none is named
#
# Does nothing, quickly, when everything is there. Exit 1 if packages are missing and cannot be
# installed from here.
set -euo pipefail
cd "$(dirname "$0")"

groups=("${@:-build}")
say() { printf 'setup: %s\n' "$*" >&2; }

if ! command -v dpkg-query >/dev/null; then
  # Not Debian: CMake says by name what it cannot find.
  say "no dpkg here; install what scripts/debian-packages.txt lists under your system's names"
  exit 0
fi

wanted=()
for group in "${groups[@]}"; do
  mapfile -t packages < <(awk -v group="$group" '$1 == group { print $2 }' debian-packages.txt)
  if [ ${#packages[@]} -eq 0 ]; then
    say "no group \"$group\" in scripts/debian-packages.txt"
    exit 2
  fi
  wanted+=("${packages[@]}")
done

# `dpkg-query` fails for an unknown package; that only means that it is not installed. A package of
# another architecture is listed as NAME:ARCHITECTURE.
installed=$(dpkg-query --show \
              --showformat='${Package} ${db:Status-Abbrev}\n${Package}:${Architecture} ${db:Status-Abbrev}\n' \
              "${wanted[@]}" 2>/dev/null | awk '$2 == "ii" { print $1 }' || true)
missing=$(comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) <(sort -u <<<"$installed") | xargs)
[ -n "$missing" ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo --non-interactive true 2>/dev/null; then
    as_root=(sudo --non-interactive)
  else
    say "these packages are missing, and installing them needs root: $missing"
    say "run:  sudo apt-get install --no-install-recommends $missing"
    exit 1
  fi
fi

say "installing $missing"
for architecture in $(grep -oE ':[a-z0-9]+' <<<"$missing" | sort -u); do
  "${as_root[@]}" dpkg --add-architecture "${architecture#:}"
done
"${as_root[@]}" apt-get update --option Acquire::Retries=3 --quiet --quiet >&2
# shellcheck disable=SC2086  # a list of words
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install --option Acquire::Retries=3 --quiet --quiet --yes --no-install-recommends \
  $missing >&2
