#!/usr/bin/env bash
# What `npm test` cannot show from the lockfile alone: the built program on other Nodes, the real agents, and the README's
# demo command from a clean clone in an empty HOME (its test command is what .ci/run itself runs first). Needs a registry;
# everything it fetches stays in .cache/ or is thrown away. And what takes too long for each change: two choos started at
# the same instant, 50 times, 100 real kills, fresh seeds of the simulator, every deliberate defect.
set -euo pipefail
cd "$(dirname "$0")/.."

# Exact releases, so that a run today and one in a year try the same.
nodes=(22.23.3 24.21.0)
status=0
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

# The npm package `node` fetches its binary in an install script; these platform packages are what it fetches.
node_binary() { # version → path on stdout
  local package folder=".cache/node-$1"
  package="node-$(node -p 'process.platform + "-" + process.arch')"
  if [ ! -x "$folder/node_modules/$package/bin/node" ]; then
    mkdir -p "$folder"
    # With `--prefix` npm would look for its global configuration there, and know no certificates.
    echo '{ "private": true }' > "$folder/package.json"
    (cd "$folder" && npm install --no-save --no-package-lock --ignore-scripts --loglevel=error "$package@$1") >&2
  fi
  local binary="$PWD/$folder/node_modules/$package/bin/node"
  [ "$("$binary" --version)" = "v$1" ] || { echo "$binary is not Node $1" >&2; return 1; }
  echo "$binary"
}

smoke() { # node binary
  node test/smoke.mjs "$1" || status=1
}

count() { # passed failed: the same shape that vitest and the smoke test leave for .ci/run
  [ -z "${CHOO_TEST_COUNTS:-}" ] || echo "{\"numPassedTests\": $1, \"numFailedTests\": $2}" > "$CHOO_TEST_COUNTS/all-$RANDOM$RANDOM.json"
}

# A program that counts as one test: `ok` or `not ok`, with the end of what it said when it failed.
proved() { # name, command…
  local name="$1" log
  shift
  log="$scratch/${name//[^A-Za-z0-9]/-}.log"
  if "$@" > "$log" 2>&1; then
    echo "ok      $name"
    count 1 0
  else
    tail -n 60 "$log"
    echo "not ok  $name"
    [ -z "${CHOO_TEST_COUNTS:-}" ] || cp "$log" "$CHOO_TEST_COUNTS/"
    count 0 1
    status=1
  fi
}

# Runs the README's demo command as somebody would who just cloned. A file of its own to bash, because `set -e` does
# not reach into a function that is asked `if it works`.
clean_clone='
  set -euo pipefail
  git clone --quiet --no-hardlinks . "$1/clone"
  mkdir "$1/home"
  cd "$1/clone"
  unset CHOO_TEST_COUNTS XDG_CACHE_HOME XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR
  export HOME="$1/home"
  npm ci
  npm run demo
  left="$(git status --short)"
  [ -z "$left" ] || { echo "the commands left the clone changed: $left"; exit 1; }
'

[ -f dist/choo.cjs ] || npm run build
smoke "$(node -p process.execPath)"
for version in "${nodes[@]}"; do
  if binary="$(node_binary "$version")"; then smoke "$binary"; else count 0 1; status=1; fi
done

# Completions in real shells, and the man page. Where they can be installed they must be there; elsewhere they are used when they are.
missing=()
for program in bash zsh fish mandoc script; do command -v "$program" > /dev/null || missing+=("$program"); done
if [ "${#missing[@]}" -gt 0 ] && [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]/#script/bsdutils}"; } > "$scratch/apt.log" 2>&1 || tail -n 5 "$scratch/apt.log"
  missing=()
fi
if [ "${#missing[@]}" -eq 0 ]; then node test/shells.mjs || status=1; else echo "completions were not tried: no ${missing[*]}"; fi

# The dashboard is looked at in a real browser, the system's own.
if [ ! -x /usr/bin/chromium ]; then
  [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null && { apt-get update -qq && apt-get install -y -qq chromium; } > "$scratch/chromium.log" 2>&1 || tail -n 5 "$scratch/chromium.log" || true
fi

# Every named moment to die at; two choos started at one instant, fifty times in all (CHOO_TEST_PAIRS=50: a hundred); locks held by others, full disks; sessions
# of their own; streams cut at every byte (vitest.config.ts has the list).
if CHOO_TEST_LONG=only CHOO_TEST_PAIRS=25 npx vitest run; then :; else status=1; fi

# The real agents against the scripted model server.
if npm run --silent test:agents; then :; else status=1; fi

# In memory where there is some: what is tried is the order of things, not the disk.
kills_folder=/tmp
[ -d /dev/shm ] && kills_folder=/dev/shm
proved '100 real kills in 12 runs' env TMPDIR="$kills_folder" node test/kills/main.mjs --runs 12 --kills 100 --each 3

# The simulator: fresh seeds for half a minute, and beside them every deliberate defect.
if CHOO_TEST_LONG=1 SIM_MINUTES=0.5 npx vitest run test/sim -t 'keeps every promise|is caught by|often enough'; then :; else status=1; fi

proved "the README's demo command from a clean clone" bash -c "$clean_clone" clean-clone "$scratch"
exit "$status"
