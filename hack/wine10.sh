#!/usr/bin/env bash
# Runs a command with Wine 10 of Debian 13 in place of this system's Wine, for hack/wine.sh and what starts it:
#   hack/wine10.sh COMMAND [ARGUMENT...]
#   hack/wine10.sh --prepare              only makes the Debian 13 (5 minutes, 1.1 GB), in the user's cache
# It needs root. VAULTPANE_DEBIAN_MIRROR is where the packages come from, where that is not mmdebstrap's default.
set -euo pipefail

suite=trixie
packages=wine64,wine,ca-certificates
cache="${XDG_CACHE_HOME:-$HOME/.cache}/vaultpane"
debian="$cache/wine10-$suite-$(cksum <<<"$packages" | cut -d ' ' -f 1)"

[ "$(id -u)" = 0 ] || { echo "wine10: it makes a system in a folder and mounts what that needs, which only root may do" >&2; exit 1; }

# mmdebstrap is a script: an unpacked package is enough, and this system stays as it is.
find_mmdebstrap() {
  mmdebstrap=$(command -v mmdebstrap) && return
  command -v apt-get >/dev/null || { echo "wine10: mmdebstrap is missing, and so is apt-get to download it" >&2; exit 1; }
  (
    cd "$work"
    apt-get download mmdebstrap >/dev/null 2>&1 || { apt-get update -qq && apt-get download mmdebstrap >/dev/null; }
    dpkg-deb -x mmdebstrap_*.deb .
  )
  mmdebstrap="$work/usr/bin/mmdebstrap"
}

# The folder is made under another name and renamed, so it is never incomplete.
make_debian() {
  mkdir -p "$cache"
  exec 9>"$cache/wine10.lock"
  flock 9
  [ -d "$debian" ] && return
  echo "wine10: making a Debian 13 in $debian (about 5 minutes)"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  find_mmdebstrap
  rm -rf "$debian.unfinished"
  # shellcheck disable=SC2086 # no mirror is no argument
  perl "$mmdebstrap" --quiet --mode=root --variant=apt --include="$packages" "$suite" "$debian.unfinished" ${VAULTPANE_DEBIAN_MIRROR:-} 9>&-
  echo "127.0.0.1 localhost" >"$debian.unfinished/etc/hosts"
  mv "$debian.unfinished" "$debian"
}

[ -d "$debian" ] || make_debian
[ "${1:-}" != --prepare ] || exit 0

# The mounts are those of a namespace of their own: they end with the command.
root="$(cd "$(dirname "$0")/.." && pwd)"
export WINE10_ROOT="$debian" WINE10_FOLDERS="$root:$cache:/tmp:${TMPDIR:-/tmp}"
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}" # without it Wine 10 complains on stderr
# shellcheck disable=SC2016 # the shell in the namespace expands it
exec unshare --mount bash -euc '
  IFS=: read -ra folders <<<"$WINE10_FOLDERS"
  mkdir -p "${folders[@]/#/$WINE10_ROOT}"
  for folder in "${folders[@]}"; do mount --bind "$folder" "$WINE10_ROOT$folder"; done
  for folder in /proc /dev; do mount --rbind "$folder" "$WINE10_ROOT$folder"; done
  exec "$@"' bash "$@"
