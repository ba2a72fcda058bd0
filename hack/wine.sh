#!/usr/bin/env bash
# Runs a Windows program under Wine, in $WINEPREFIX or the repository's own prefix:
#   hack/wine.sh PROGRAM [ARGUMENT...]
#   hack/wine.sh --prepare [FOLDER]   creates a prefix, as a copy of the repository's own
#   hack/wine.sh --stop FOLDER        stops the programs in a prefix
# It also works as `go test -exec`. Under hack/wine10.sh it runs Wine 10.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
in=() # what runs a program in another system
[ -z "${WINE10_ROOT:-}" ] || in=(unshare "--root=$WINE10_ROOT" "--wd=$PWD")
template="$root/.cache/wine${in:+10}-$(cat "$root"/hack/wine/*.c | cksum | cut -d ' ' -f 1)" # with the libraries of hack/wine
wine=/usr/lib/wine/wine64
wineserver=/usr/lib/wine/wineserver64

# Wine's own ncrypt.dll keeps no keys: VAULTPANE_WINE_NCRYPT=b uses it, where the stand-in is used else.
export WINEDEBUG="${WINEDEBUG:--all}" WINEARCH=win64 WINEDLLOVERRIDES="mscoree,mshtml=;ncrypt=${VAULTPANE_WINE_NCRYPT:-n}"
unset DISPLAY
unset TMPDIR # Wine 10 aborts with it; Windows programs have their own

need() {
  command -v "$1" >/dev/null || { echo "wine: $1 is missing; on Debian: apt-get install wine64 wine gcc-mingw-w64-x86-64" >&2; exit 1; }
}

# The template is created under another name and renamed, so it is never incomplete.
make_template() {
  [ -d "$template" ] && return
  need "${WINE10_ROOT:-}$wine"
  need x86_64-w64-mingw32-gcc
  mkdir -p "$root/.cache"
  exec 9>"$root/.cache/wine.lock"
  flock 9
  [ -d "$template" ] && return
  rm -rf "$template.unfinished"
  WINEPREFIX="$template.unfinished" "${in[@]}" "$wine" wineboot -i >/dev/null 2>&1 9>&-
  WINEPREFIX="$template.unfinished" "${in[@]}" "$wineserver" -w 9>&-
  shim="$template.unfinished/drive_c/windows/system32/bcryptprimitives.dll"
  [ -e "$shim" ] || x86_64-w64-mingw32-gcc -shared -O2 -o "$shim" "$root/hack/wine/bcryptprimitives.c" -ladvapi32
  x86_64-w64-mingw32-gcc -shared -O2 -o "$template.unfinished/drive_c/windows/system32/ncrypt.dll" "$root/hack/wine/ncrypt.c" -lbcrypt -ladvapi32 -lshell32
  mv "$template.unfinished" "$template"
  flock -u 9
}

case "${1:-}" in
--prepare)
  make_template
  [ -z "${2:-}" ] || cp -a "$template" "$2"
  exit
  ;;
--stop)
  WINEPREFIX="$2" "${in[@]}" "$wineserver" -k || true # nothing ran
  exit
  ;;
esac
make_template
export WINEPREFIX="${WINEPREFIX:-$template}"
exec "${in[@]}" "$wine" "$@"
