// What a hostile review once broke, each named after what was lost.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it, type Bed } from '../rig/bed.ts';
import { commits, completedTasks, expectEnd, expectNothingLeft, fileAt, kinds, subjects } from '../rig/facts.ts';

/** Two units that write the same file, so that the second conflicts. Its agent does `mend` when it has to. */
function clash(bed: Bed, mend: string): void {
  const write = 'if [ -n "${CHOO_TASK##*[!0-9]*}" ]; then echo "$CHOO_UNIT" > shared; ' + DOES_IT + `; else ${mend}; fi`;
  bed.specs({ a: {}, b: {} }, { agent: write, parallelism: 2 });
}

const SOLVED = "printf 'a\\nb\\n' > shared";

describe('a conflict', () => {
  it('whose first mending failed for another reason does not land with its markers', async ({ bed }) => {
    clash(bed, 'if [ "$CHOO_ATTEMPT" = 1 ]; then echo > "$OUT/stray"; fi; true');
    const ended = await bed.choo(['run', '--json'], { env: { OUT: bed.root } });
    expectEnd(ended, 1);
    expect(fileAt(bed, 'main', 'shared')).not.toContain('<<<<<<<');
    expect(ended.events.filter((e) => e.type === 'unit.merged')).toHaveLength(1);
  });

  it('is mended in the second attempt although the first threw the merge away', async ({ bed }) => {
    clash(bed, `if [ "$CHOO_ATTEMPT" = 1 ]; then git merge --abort; else ${SOLVED}; fi`);
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(fileAt(bed, 'main', 'shared')).toBe('a\nb\n');
    expectNothingLeft(bed);
  });

  it('marked as resolved with its markers in it is not resolved', async ({ bed }) => {
    clash(bed, `if [ "$CHOO_ATTEMPT" = 1 ]; then git add shared; else ${SOLVED}; fi`);
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(fileAt(bed, 'main', 'shared')).toBe('a\nb\n');
  });

  it('in the spec of a running task is choo\'s to solve: the target\'s text stays, to be done by the next run', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next({ unit: 'a' });
    const path = 'specs/tasks/a/01-part.md';
    const edited = bed.read(path).replace('status: pending', 'status: pending # not yet').replace('Write the file', 'Quickly write the file');
    bed.commit({ [path]: edited }, 'clearer');
    await held.write('a-1.txt', 'x\n');
    await held.exit(0);
    // The commit was made outside of the fence while it worked.
    await (await bed.hand.next({ unit: 'a' })).exit(0);
    expectEnd(await run.ended, 0);
    expect(fileAt(bed, 'main', path)).toBe(edited);
    expect(fileAt(bed, 'main', 'a-1.txt')).toBe('x\n');
    const next = bed.start(['run', '--json']);
    const again = await bed.hand.next({ unit: 'a' });
    expect(again.prompt).toContain('Quickly write the file');
    await again.write('a-1.txt', 'x, quickly\n');
    await again.exit(0);
    expectEnd(await next.ended, 0);
    expect(fileAt(bed, 'main', path)).toBe(edited.replace('status: pending', 'status: complete'));
  });
});

describe('a proof', () => {
  it('is of the commit, not of what setup makes of tracked files', async ({ bed }) => {
    bed.write('count', '0\n');
    bed.commit({ 'items/zero': '' }, 'an item');
    const agent = 'touch items/$CHOO_UNIT; ls items | wc -l | tr -d " " > count';
    const check = 'test "$(cat count)" = "$(ls items | wc -l | tr -d " ")"';
    bed.specs({ a: { tasks: [{ check }] }, b: { tasks: [{ check }] } }, { agent, worktree: { setup: ['ls items | wc -l | tr -d " " > count'] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(fileAt(bed, 'main', 'count')).toBe('3\n');
  });
});

describe('work that was lost', () => {
  it('a repository inside the worktree, added and committed as a link', async ({ bed }) => {
    const nested = 'git init -q app; echo code > app/code; git -C app add -A; git -C app commit -qm inner; git add -A 2>/dev/null; git commit -qm outer';
    bed.specs({ a: {} }, { agent: `if [ "$CHOO_ATTEMPT" = 1 ]; then ${nested}; else rm -rf app/.git; git rm -q --cached app; fi; ${DOES_IT}` });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(kinds(ended, 'a').failures).toEqual(['nested-repository']);
    expect(fileAt(bed, 'main', 'app/code')).toBe('code\n');
  });

  it('a file that the check had made before the agent wrote its own', async ({ bed }) => {
    const check = 'test -f gen.lock || echo auto > gen.lock; test -f done';
    bed.specs({ a: { tasks: [{ check }] } }, { agent: 'echo mine > gen.lock; touch done; git add -A; git commit -qm all' });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(fileAt(bed, 'main', 'gen.lock')).toBe('mine\n');
  });

  it('what the worktree of a removed journal held', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'echo precious > precious; exit 1', limits: { attempts: 1 } });
    expectEnd(await bed.choo(['run', '--json']), 1);
    rmSync(join(bed.root, '.git', 'choo'), { recursive: true });
    bed.configure({});
    bed.git('commit', '-qam', 'an agent that does it');
    expectEnd(await bed.choo(['run', '--json']), 0);
    const worktrees = bed.git('worktree', 'list', '--porcelain');
    const kept = bed.git('for-each-ref', '--format=%(refname)', 'refs/choo/kept');
    expect(`${worktrees}${kept}`).toMatch(/units\/a|refs\/choo\/kept/);
  });
});

describe('outside the fence', () => {
  for (const [what, deed] of [
    ['the stash', 'git stash clear'],
    ['the configuration', 'git config core.hooksPath /nowhere'],
    ['the excludes', 'echo "*.secret" >> "$(git rev-parse --git-common-dir)/info/exclude"'],
    ['a hook', 'printf "#!/bin/sh\\n" > "$(git rev-parse --git-common-dir)/hooks/pre-commit"'],
  ] as const) {
    it(`${what} of the repository is watched`, async ({ bed }) => {
      bed.specs({ a: {} }, { agent: `if [ "$CHOO_ATTEMPT" = 1 ]; then ${deed}; fi; ${DOES_IT}` });
      bed.write('README', 'changed\n');
      bed.git('stash', '-q');
      const ended = await bed.choo(['run', '--json']);
      expectEnd(ended, 0);
      expect(kinds(ended, 'a').failures).toEqual(['outside-the-fence']);
    });
  }

  it('nothing an agent is given shows where the main checkout is, and its prompt can be read', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'env > a-1.txt; cat "$CHOO_PROMPT_FILE" >> a-1.txt' });
    expectEnd(await bed.choo(['run', '--json']), 0);
    const seen = fileAt(bed, 'main', 'a-1.txt') ?? '';
    expect(seen).toContain('# Task 1 of unit `a`');
    expect(seen).not.toContain(bed.root);
    expectNothingLeft(bed);
  });

  it('tokens of forges do not reach an agent, by whatever name', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: `env > a-1.txt` });
    const env = { GITHUB_API_TOKEN: 'leak1', GITHUB_APP_PRIVATE_KEY: 'leak2', GITHUB_TOKEN_2: 'leak3', gh_token: 'leak4', GITLAB_CI_TOKEN: 'leak5', COPILOT_GITHUB_TOKEN: 'its-own' };
    expectEnd(await bed.choo(['run', '--json'], { env }), 0);
    const seen = fileAt(bed, 'main', 'a-1.txt') ?? '';
    expect(seen).not.toMatch(/leak\d/);
    expect(seen).toContain('its-own');
  });
});

describe('a target that has gone another way', () => {
  it('is not promised a fast-forward', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const a = await bed.hand.next({ unit: 'a' });
    await a.write('a-1.txt', 'x\n');
    await a.write('README', 'by the agent\n');
    bed.write('README', 'local\n');
    await a.exit(0);
    const again = await bed.hand.next({ unit: 'a' });
    await again.exit(0);
    const b = await bed.hand.next({ unit: 'b' });
    bed.git('commit', '-qam', 'by a person');
    await b.write('b-1.txt', 'x\n');
    await b.exit(0);
    const last = await bed.hand.next({ unit: 'b' });
    await last.exit(0);
    const ended = await run.ended;
    expectEnd(ended, 1);
    expect(ended.stderr).toContain('merge it by hand:  git merge choo/run/1');
    expect(ended.stderr).not.toContain('--ff-only');
  });
});

describe('the branch', () => {
  it('made a symbolic ref to the target is made a branch again', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 } }, { agent: `if [ "$CHOO_TASK-$CHOO_ATTEMPT" = 2-1 ]; then git symbolic-ref "$(git symbolic-ref HEAD)" refs/heads/main; fi; ${DOES_IT}` });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(kinds(ended, 'a').failures).toEqual(['history-rewritten']);
    expectNothingLeft(bed, ['refs/choo/kept/1/a/2-1', 'refs/heads/main']);
  });
});

describe('blame', () => {
  it('a check that names its program by a variable sends the work back, it is no missing program', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: '"$PWD/run.sh"' }] } }, { agent: 'printf "#!/bin/sh\\n" > run.sh; chmod +x run.sh' });
    expectEnd(await bed.choo(['run', '--json']), 0);
  });

  it('setup that clones a repository is not the agent\'s doing', async ({ bed }) => {
    bed.specs({ a: {} }, { worktree: { setup: ['git init -q vendor/dep && echo x > vendor/dep/x'] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(fileAt(bed, 'main', 'vendor/dep/x')).toBeUndefined();
  });

  it('setup that commits is told as such, and a retry with mended setup goes on', async ({ bed }) => {
    bed.specs({ a: {} }, { worktree: { setup: ['git commit -q --allow-empty -m mine'] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(kinds(ended, 'a').failures).toEqual(['base-not-intact']);
    bed.configure({});
    bed.git('commit', '-qam', 'no setup');
    expectEnd(await bed.choo(['retry', 'a']), 0);
    expectEnd(await bed.choo(['resume']), 0);
    expect(completedTasks(bed)).toEqual(['a#1']);
  });

  it('an empty commit of the agent is no change', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: 'true' }] } }, { agent: 'git commit -q --allow-empty -m nothing' });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(ended.events.find((e) => e.type === 'task.completed')).toMatchObject({ unchanged: true, attempts: 2 });
    expect(commits(bed).filter((c) => c.task === '1')).toHaveLength(1);
    expect(subjects(bed)).toContain('nothing');
  });

  it('a folder of specs replaced by a link is put back', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: `if [ "$CHOO_ATTEMPT" = 1 ]; then rm -rf specs; ln -s /tmp specs; fi; ${DOES_IT}` });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(fileAt(bed, 'main', 'specs/tasks/a/01-part.md')).toContain('status: complete');
  });
});
