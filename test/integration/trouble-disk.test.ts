// A disk that fills in the middle of a run, wherever it is: nothing is corrupt, the message names the place, and the run goes on
// once there is space. The disk is a small one in a mount namespace of the test's own.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { it, type Bed } from '../rig/bed.ts';
import { Room, type RoomEnded } from '../rig/room.ts';

let room: Room;
beforeEach(async () => { room = await Room.open(); });
afterEach(() => room.close());

/** Does its work, and at its first start fills the disk up to some spare pages. */
function fillingAgent(bed: Bed, folder: string, spare = 0): string {
  const path = join(bed.base, 'agent.sh');
  writeFileSync(path, `
echo "$CHOO_UNIT $CHOO_TASK $CHOO_ATTEMPT" >> '${bed.base}/starts'
echo "work of $CHOO_UNIT" > "$CHOO_UNIT-$CHOO_TASK.txt" || exit 1
if [ ! -e '${bed.base}/filled' ]; then
  : > '${bed.base}/filled'
  cat /dev/zero > '${folder}/filler' 2>/dev/null
  truncate -s -${spare * 4096} '${folder}/filler'
fi
exit 0
`);
  return `exec sh '${path}'`;
}

interface Place {
  readonly root: string;
  readonly run: (...argv: readonly string[]) => Promise<RoomEnded>;
}

function placeOf(bed: Bed, root = bed.root): Place {
  const temporary = join(bed.base, 'room-temporary');
  mkdirSync(temporary, { recursive: true });
  const env = { ...bed.env, XDG_STATE_HOME: bed.state, TMPDIR: temporary, RIG_BED: bed.base };
  return { root, run: (...argv) => room.choo(argv, { cwd: root, env }) };
}

const UNITS = { a: { tasks: 2 }, b: { tasks: 1, dependsOn: ['a'] } };
/** So much to do that its journal needs more than a page. */
const MORE = { a: { tasks: 12 }, b: { tasks: 1, dependsOn: ['a'] } };

/** After space was made the run can be finished; everything is there once, and git finds nothing wrong. */
async function expectFinishes(bed: Bed, place: Place, o: { readonly filler: string; readonly tasks?: number }): Promise<void> {
  room.sh('rm -f "$1"', o.filler);
  const status = JSON.parse((await place.run('status', '--json')).text) as { readonly counts: { readonly failed: number } };
  if (status.counts.failed > 0) expect((await place.run('retry', '--failed')).code).toBe(0);
  const ended = await place.run('resume');
  expect(ended.code, `${ended.text}`).toBe(0);
  const log = room.sh('git -C "$1" log --format="%(trailers:key=Choo-Unit,valueonly,separator=%x20)%(trailers:key=Choo-Task,valueonly,separator=%x20)" main | grep . | sort -V', place.root);
  expect(log).toBe(`${Array.from({ length: o.tasks ?? 2 }, (_, n) => `a${n + 1}\n`).join('')}b1\n`);
  expect(room.sh('git -C "$1" fsck --full --strict 2>&1 | grep -v ^dangling || true', place.root)).toBe('');
  expect(room.sh('git -C "$1" status --porcelain', place.root)).toBe('');
  expect(room.sh('find "$1/.git" -name "*.lock"', place.root)).toBe('');
  const starts = room.sh('cat "$1/starts"', bed.base).trim().split('\n');
  expect(new Set(starts).size, `${starts.join('\n')}`).toBe(starts.length);
}

describe('a full disk', () => {
  for (const spare of [0, 1]) it(`under .git/choo, ${spare} pages short of it, ends the run or the unit, names the file, and resume goes on`, async ({ bed }) => {
    const choo = join(bed.root, '.git', 'choo');
    bed.specs(MORE, { agent: fillingAgent(bed, choo, spare), limits: { free_disk: '1MiB' } });
    room.smallDisk(choo, 2048);
    const place = placeOf(bed);
    const ended = await place.run('run');
    expect(ended.code, `${ended.text}`).toBe(1);
    // Whichever of the two is written first.
    expect(ended.text).toMatch(/journal .*journal\.jsonl cannot be written: ENOSPC|no space is left for .*\/\.git\/choo\/\w/);
    expect(ended.text).toContain('choo resume');
    await expectFinishes(bed, place, { filler: join(choo, 'filler'), tasks: 12 });
  });

  it('under the worktrees fails the unit with the place, and a retry goes on with its work', async ({ bed }) => {
    bed.specs(UNITS, { agent: fillingAgent(bed, bed.state), limits: { free_disk: '64KiB' } });
    room.smallDisk(bed.state, 4096);
    const place = placeOf(bed);
    const ended = await place.run('run');
    expect(ended.code, `${ended.text}`).toBe(1);
    expect(ended.text).toContain(bed.state);
    await expectFinishes(bed, place, { filler: join(bed.state, 'filler') });
  });

  it('under the whole repository ends the run, and resume goes on', async ({ bed }) => {
    const small = join(bed.base, 'small');
    const root = join(small, 'repo');
    mkdirSync(small);
    bed.specs(UNITS, { agent: fillingAgent(bed, small), limits: { free_disk: '64KiB' } });
    room.smallDisk(small, 4096);
    room.sh('cp -a "$1" "$2"', bed.root, root);
    const place = placeOf(bed, root);
    const ended = await place.run('run');
    expect(ended.code, `${ended.text}`).toBe(1);
    expect(ended.text).toContain(small);
    await expectFinishes(bed, place, { filler: join(small, 'filler') });
  });

  it('that is nearly full before a worktree is made: says how much is free and how much is wanted', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'false', limits: { free_disk: '8MiB' } });
    room.smallDisk(bed.state, 4096);
    const ended = await placeOf(bed).run('run');
    expect(ended.code, `${ended.text}`).toBe(1);
    expect(ended.text).toMatch(/only \d MiB are free at .*limits\.free_disk \(8 MiB\)/);
  });
});
