// What the benches that run choo share: git in an emptied environment, and a repository whose specs are its first commit.

import { spawnSync } from 'node:child_process';

/** Runs git and gives what it printed; throws when it fails. `env` is all the environment it gets. */
export function gitIn(env) {
  return (cwd, ...args) => {
    const ran = spawnSync('git', args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 28 });
    if (ran.status !== 0) throw new Error(`git ${args.join(' ')}: ${ran.stderr}`);
    return ran.stdout.trim();
  };
}

/** Makes the folder a repository on `main` with everything in it committed. */
export function commitAll(git, top) {
  git(top, 'init', '-q', '-b', 'main');
  git(top, 'config', 'user.name', 'Bench');
  git(top, 'config', 'user.email', 'bench@example.org');
  git(top, 'add', '-A');
  git(top, 'commit', '-q', '-m', 'specs');
}
