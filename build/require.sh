#!/bin/sh
# Says which of the named programs is missing and how to get it; installs Debian packages where that is possible.
set -eu
missing=0
for program in "$@"; do
  command -v "$program" >/dev/null 2>&1 && continue
  case $program in
    npm) hint="Node.js 20 or newer with npm (https://nodejs.org); the project brings its own Node 24" package='' ;;
    go) hint="Go 1.26 or newer (https://go.dev/dl)" package='' ;;
    *) hint="the Debian package $program" package=$program ;;
  esac
  if [ -n "$package" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "== installing $package" >&2
    if apt-get install -y --no-install-recommends "$package" >/dev/null 2>&1 ||
      { apt-get update >/dev/null 2>&1 && apt-get install -y --no-install-recommends "$package" >/dev/null 2>&1; }; then
      continue
    fi
  fi
  echo "missing: $program. Install $hint." >&2
  missing=1
done
exit $missing
