// Each green alone, red together: six pairs of units that no textual merge tells apart. Whatever the target is at any moment is green.

import { execFileSync } from 'node:child_process';
import { describe, expect } from 'vitest';
import type { Bed } from '../rig/bed.ts';
import { it } from '../rig/bed.ts';
import { commits, expectEnd, expectNothingLeft } from '../rig/facts.ts';

/** What every commit must pass: callers find their functions, migrations and routes are unique, references lead somewhere. */
const CHECK = `set -e
. ./lib.sh
. ./sums.sh
for caller in callers/*.sh; do . "./$caller"; done
[ -z "$(ls migrations | cut -d- -f1 | sort | uniq -d)" ]
[ -z "$(cat routes/* | sort | uniq -d)" ]
for page in pages/*; do test -f "$(cat "$page")"; done
`;

/** Like a package manager: two versions of one package cannot be installed. */
const INSTALL = `[ -z "$(sort -u deps/* | cut -d= -f1 | uniq -d)" ] || { echo "two versions of one package"; exit 1; }
`;

const FILES: Readonly<Record<string, string>> = {
  'check.sh': CHECK, 'install.sh': INSTALL,
  'lib.sh': 'greet() { echo "hello $1"; }\n', 'sums.sh': 'add() { echo $(($1 + $2)); }\n',
  'callers/first.sh': 'greet world >/dev/null\n', 'migrations/0001-begin.sql': 'begin\n', 'routes/index': 'GET /\n',
  'assets/logo.txt': 'logo\n', 'pages/home': 'assets/logo.txt\n', 'deps/base': 'left=1\n',
};

/** What the agent of each unit writes at first; any of a pair may be the one that comes second. */
const FIRST = `
  rename-a) sed -i s/greet/welcome/ lib.sh callers/*.sh;;
  rename-b) echo 'greet again >/dev/null' > callers/second.sh;;
  signature-a) sed -i 's/^add.*/add() { test $# -eq 3; }/' sums.sh;;
  signature-b) echo 'add 1 2 >/dev/null' > callers/sum.sh;;
  migration-a) echo users > migrations/0002-users.sql;;
  migration-b) echo orders > migrations/0002-orders.sql;;
  route-a) echo 'GET /users' > routes/users;;
  route-b) echo 'GET /users' > routes/people;;
  moved-a) mkdir -p static; git mv assets/logo.txt static/logo.txt; sed -i s/assets/static/ pages/*;;
  moved-b) echo assets/logo.txt > pages/about;;
  lock-a) echo right=1 > deps/a;;
  lock-b) echo right=2 > deps/b;;
`;

/** Puts together what the two of a pair meant, whichever has landed. */
const MEND = `
grep -q 'welcome()' lib.sh && sed -i s/greet/welcome/ callers/*.sh
grep -q 'eq 3' sums.sh && sed -i 's/^add 1 2 >/add 1 2 3 >/' callers/*.sh
[ $(ls migrations | grep -c 0002) -gt 1 ] && git mv migrations/0002-$CHOO_MINE.sql migrations/0003-$CHOO_MINE.sql
[ -f routes/users ] && [ -f routes/people ] && echo 'GET /people' > routes/people
[ -f static/logo.txt ] && sed -i s/assets/static/ pages/*
[ -f deps/a ] && [ -f deps/b ] && echo right=2 > deps/a
true
`;

const AGENT = `case "$CHOO_UNIT" in migration-a) CHOO_MINE=users;; migration-b) CHOO_MINE=orders;; esac
if [ "$CHOO_TASK" = 1 ]; then case "$CHOO_UNIT" in ${FIRST} esac
else ${MEND} fi
`;

const PAIRS = ['rename', 'signature', 'migration', 'route', 'moved', 'lock'];
const UNITS = PAIRS.flatMap((pair) => [`${pair}-a`, `${pair}-b`]);

function makePairs(bed: Bed, land: Readonly<Record<string, unknown>>): string {
  bed.commit(FILES);
  return bed.specs(Object.fromEntries(UNITS.map((id) => [id, { tasks: [{ check: 'true' }] }])), {
    agent: AGENT, baseline_checks: ['sh check.sh'], worktree: { setup: ['sh install.sh'] }, land, limits: { failures_in_a_row: 12, attempts: 6 },
  });
}

/** Runs setup and check on a commit, in a checkout that nobody else knows. */
function isGreen(bed: Bed, commit: string): boolean {
  const folder = `${bed.base}/looked-at`;
  bed.git('worktree', 'add', '-q', '--detach', folder, commit);
  try {
    execFileSync('sh', ['-c', 'sh install.sh && sh check.sh'], { cwd: folder, stdio: 'pipe' });
    return true;
  } catch {
    return false;
  } finally {
    bed.git('worktree', 'remove', '--force', folder);
  }
}

describe('each green alone, red together', () => {
  it.for([['batch'], ['each']] as const)('with land.history: %s, at -p 8: the target is green at every moment, and every culprit lands in its second form', { timeout: 240_000 }, async ([history], { bed }) => {
    const base = makePairs(bed, { history });
    expect(isGreen(bed, base)).toBe(true);
    const ended = await bed.choo(['run', '--json', '-p', '8']);
    expectEnd(ended, 0);
    const values = bed.git('reflog', 'show', '--format=%H', 'refs/heads/main').split('\n');
    const looked = history === 'each' ? bed.git('rev-list', '--first-parent', `${base}..main`).split('\n') : values.slice(0, values.indexOf(base));
    expect(looked.length).toBeGreaterThan(1);
    for (const value of looked) expect(isGreen(bed, value), `${value} on the target`).toBe(true);
    if (history === 'each') expect(looked).toHaveLength(UNITS.length);
    expect(commits(bed).filter((c) => c.landed !== '').map((c) => c.landed).toSorted()).toEqual(UNITS.toSorted());
    const back = new Set(ended.events.flatMap((e) => (e.type === 'rework.started' ? [e.unit.split('-')[0]] : [])));
    expect(back).toEqual(new Set(PAIRS));
    const told = ended.events.flatMap((e) => (e.type === 'rework.started' && e.reason === 'proof' && 'with' in e.because ? [e.because.with ?? []] : []));
    expect(told.every((names) => names.length > 0)).toBe(true);
    expectNothingLeft(bed);
  });
});
