// A forge for a bed: the fake GitHub over a bare repository that the bed's `origin` is. A test speaks for the people on it.

import { expect } from 'vitest';
import type { Bed, BedConfig, ChooOptions } from './bed.ts';
import type { Running } from './choo.ts';
import { startGitHub, type GitHub } from './github/index.ts';
import { makeRemote, type TestRemote } from './remote.ts';
import type { Specs } from './specs.ts';

/** A bed whose runs land as pull requests. */
export interface ForgeBed {
  readonly github: GitHub;
  readonly remote: TestRemote;
  /** With what choo is started so that it finds the forge. */
  readonly options: ChooOptions;
  /** Starts `choo run --json` (or the given arguments). */
  start(argv?: readonly string[]): Running;
  /** The number of a unit's pull request. */
  numberOf(unit: string): number;
  /** Everything that was asked and answered is what GitHub understands and says; the forge is stopped. */
  close(): Promise<void>;
}

/** Writes specs and configuration, makes `origin` and the forge. `ann` may write, `eve` may not. */
export async function makeForge(bed: Bed, units: Specs, config: BedConfig = {}): Promise<ForgeBed> {
  const { review, ...rest } = config;
  bed.specs(units, {});
  const remote = makeRemote(bed);
  const github = await startGitHub({ bare: remote.path });
  github.addUser('ann', 'write');
  github.addUser('eve', 'read');
  bed.specs(units, { github: { owner: github.owner, repo: github.repo, api_url: github.url }, review: { poll_interval: '100ms', ...review as object }, ...rest });
  bed.git('push', '-q', 'origin', 'main');
  const options: ChooOptions = { env: { GITHUB_TOKEN: github.token } };
  return {
    github, remote, options,
    start: (argv = ['run', '--json']) => bed.start(argv, options),
    numberOf: (unit) => {
      const found = github.pulls().filter((p) => p.head.includes(`unit/${unit}/`));
      expect(found.map((p) => p.number), `pull requests of ${unit}`).toHaveLength(1);
      return found[0]?.number ?? 0;
    },
    close: async () => {
      await github.close();
      expect(github.violations).toEqual([]);
    },
  };
}
