// A bare repository for the fake GitHub, and pushing to it by one process of git: most of the time of a test with real pushes is
// starting programs. What must be a real push, a test does with git itself.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestRepository } from '../repo.ts';

/** A bare repository that is as the test repository was when it was first cloned. */
export interface Origin {
  readonly bare: string;
  /** Puts a commit upon a branch (a new one begins at main), with these files changed; gives the commit. */
  push(branch: string, files?: Readonly<Record<string, string>>): string;
  /** Runs git in it, and gives what it printed. */
  git(...args: readonly string[]): string;
}

let commits = 0;

/** Makes one beside `repository`; it goes with it. Without files a push changes the file that is named like the branch. */
export function makeOrigin(repository: TestRepository): Origin {
  const template = join(repository.base, 'template.git');
  if (!existsSync(template)) repository.git('clone', '-q', '--bare', '--template=', repository.root, template);
  const bare = mkdtempSync(join(repository.base, 'origin-'));
  cpSync(template, bare, { recursive: true });
  const data = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`;
  return {
    bare,
    git: (...args) => repository.git('--git-dir', bare, ...args),
    push: (branch, files = { [branch]: `${branch}\n` }) => {
      const ref = join(bare, 'refs', 'heads', branch);
      commits += 1;
      const input = [
        `commit refs/heads/${branch}\ncommitter Tess Ter <tess@example.com> ${1_767_225_600 + commits} +0000\n`, data(`work on ${branch}`),
        `from refs/heads/${branch === 'main' || existsSync(ref) ? branch : 'main'}^0\n`,
        ...Object.entries(files).map(([path, text]) => `M 100644 inline ${path}\n${data(text)}`),
      ].join('');
      execFileSync('git', ['--git-dir', bare, 'fast-import', '--quiet'], { input, env: repository.env });
      return readFileSync(ref, 'utf8').trim();
    },
  };
}
