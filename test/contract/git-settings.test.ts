// What choo has understood of configuration and rules holds only as long as they are what they were, wherever they stand.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { gitRunner } from '../../src/adapters/git/exec.ts';
import { blobId } from '../../src/adapters/git/index-format.ts';
import { settingsReader } from '../../src/adapters/git/settings.ts';
import type { Git } from '../../src/world.ts';
import { makeBed } from './git-look.rig.ts';
import type { Bed } from './git-look.rig.ts';
import { fakeProgram } from '../rig/repo.ts';

let bed: Bed;
beforeEach(async () => {
  bed = await makeBed();
});
afterEach(() => bed.repo.close());

const home = (path: string): string => join(bed.repo.base, 'home', path);

/** What a file with a carriage return becomes when it is staged now: its id. */
async function stagedId(git: Git, name: string): Promise<string> {
  bed.repo.write(name, 'x\r\n', bed.work);
  await git.stage(bed.work, [name]);
  return bed.inWork('rev-parse', `:${name}`);
}

const CONVERTED = blobId(Buffer.from('x\n'), 20);
const RAW = blobId(Buffer.from('x\r\n'), 20);

/** Ways for a configuration to come to say `core.autocrlf = input` after choo has read it. */
const WAYS: readonly (readonly [string, { readonly before: () => void; readonly after: () => void; readonly env?: () => NodeJS.ProcessEnv }])[] = [
  ['in the repository', { before: () => undefined, after: () => { bed.repo.git('config', 'core.autocrlf', 'input'); } }],
  ['behind a link', {
    before: () => {
      mkdirSync(home('dot'));
      writeFileSync(home('dot/config'), '[alias]\n\tx = log\n');
      mkdirSync(home('.config/git'), { recursive: true });
      symlinkSync(home('dot/config'), home('.config/git/config'));
    },
    after: () => writeFileSync(home('dot/config'), '[core]\n\tautocrlf = input\n'),
  }],
  ['in a file that was included before there was one', {
    before: () => bed.repo.git('config', 'include.path', '~/later'),
    after: () => writeFileSync(home('later'), '[core]\n\tautocrlf = input\n'),
  }],
  ['in a file included from beside another', {
    before: () => {
      writeFileSync(home('first'), '[include]\n\tpath = second\n');
      bed.repo.git('config', 'include.path', home('first'));
    },
    after: () => writeFileSync(home('second'), '[core]\n\tautocrlf = input\n'),
  }],
  ['where GIT_CONFIG_GLOBAL says', {
    before: () => writeFileSync(home('global'), ''),
    after: () => writeFileSync(home('global'), '[user]\n\tname = T\n\temail = t@example.com\n[core]\n\tautocrlf = input\n'),
    env: () => ({ ...bed.repo.env, GIT_CONFIG_GLOBAL: home('global') }),
  }],
];

describe('a changed configuration is seen', () => {
  it.each(WAYS)('%s', async (_, way) => {
    way.before();
    bed.later(50);
    const git = bed.repo.open({ env: way.env?.() ?? bed.repo.env });
    expect(await stagedId(git, 'before')).toBe(RAW);
    bed.later(50);
    expect(await stagedId(git, 'between')).toBe(RAW);
    way.after();
    expect(await stagedId(git, 'after')).toBe(CONVERTED);
    bed.later(50);
    expect(await stagedId(git, 'long-after')).toBe(CONVERTED);
  });

  it('when it changes while git is reading it', async () => {
    const env = fakeProgram(bed.repo, 'git', `case " $* " in
  *" --show-origin "*) real "$@" >"$HOME/said"; [ -e "$HOME/changed" ] || { real -C '${bed.repo.root}' config core.autocrlf input; : >"$HOME/changed"; }; cat "$HOME/said" ;;
  *) real "$@" ;;
esac`.replaceAll('real ', `'${realGit()}' `));
    bed.later(50);
    const git = bed.repo.open({ env });
    await git.status(bed.work);
    bed.later(50);
    expect(await stagedId(git, 'after')).toBe(CONVERTED);
  });
});

function realGit(): string {
  return bed.repo.git('--exec-path').replace(/\/(?:lib|libexec)\/git-core$/, '/bin/git');
}

it('a changed ignore file behind a link is seen', async () => {
  mkdirSync(home('dot'));
  mkdirSync(home('.config/git'), { recursive: true });
  writeFileSync(home('dot/ignore'), '# nothing\n');
  symlinkSync(home('dot/ignore'), home('.config/git/ignore'));
  bed.repo.write('f.log', 'x', bed.work);
  bed.later(50);
  const git = bed.repo.open();
  for (const round of [1, 2]) expect((await git.status(bed.work)).entries.map((e) => e.path), `round ${round}`).toEqual(['f.log']);
  writeFileSync(home('dot/ignore'), '*.log\n');
  expect((await git.status(bed.work)).entries).toEqual([]);
});

it('attributes out of a tree that the configuration names are not passed over', async () => {
  const verbatim = async (): Promise<boolean> => (await settingsReader({ git: gitRunner({ env: bed.repo.env, sleep: systemClock().sleep }), commonDir: join(bed.repo.root, '.git') }).read()).verbatim;
  expect(await verbatim()).toBe(true);
  bed.repo.git('config', 'attr.tree', 'HEAD');
  expect(await verbatim()).toBe(false);
});
