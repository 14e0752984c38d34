#!/usr/bin/env bash
# npm run test:one -- ledger/chain [MORE FILES] [OPTIONS OF TAP]: compiles, and runs these files of test/ alone.
set -euo pipefail
cd "$(dirname "$0")/.."
words=()
for word in "$@"; do
  if [[ $word != -* ]]; then
    name=${word#test/}
    name=${name%.ts}
    name=${name%.test}
    [ -f "test/$name.test.ts" ] || name+=.slow
    [ -f "test/$name.test.ts" ] || { echo "there is no test/${name%.slow}.test.ts" >&2; exit 2; }
    word=build/test/$name.test.js
  fi
  words+=("$word")
done
[ ${#words[@]} -gt 0 ] || { echo 'which? npm run test:one -- ledger/chain' >&2; exit 2; }
npm run --silent build
npm run --silent build:test
exec npx tap --disable-coverage --exclude= "${words[@]}"
