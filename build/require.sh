#!/bin/sh
# Says which of the named programs is missing or too old and how to get it; installs Debian packages where that is possible.
set -eu
goal_of_go=26
missing=0

go_is_old() {
  version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || echo go0.0)
  minor=$(echo "$version" | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ "${minor:-0}" -lt "$goal_of_go" ]
}

node_is_old() {
  major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
  [ "${major:-0}" -lt 20 ]
}

for program in "$@"; do
  problem=missing
  if command -v "$program" >/dev/null 2>&1; then
    case $program in
      npm) node_is_old || continue ;;
      go) go_is_old || continue ;;
      *) continue ;;
    esac
    problem='too old'
  fi
  case $program in
    npm) hint="Node.js 20 or newer with npm (https://nodejs.org); the project brings its own Node 24" package='' ;;
    go) hint="Go 1.$goal_of_go or newer (https://go.dev/dl)" package='' ;;
    *) hint="the Debian package $program" package=$program ;;
  esac
  if [ -n "$package" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "== installing $package" >&2
    if apt-get install -y --no-install-recommends "$package" >/dev/null 2>&1 ||
      { apt-get update >/dev/null 2>&1 && apt-get install -y --no-install-recommends "$package" >/dev/null 2>&1; }; then
      continue
    fi
  fi
  [ "$problem $program" = 'too old npm' ] && program=node
  echo "$problem: $program. Install $hint." >&2
  missing=1
done
exit $missing
