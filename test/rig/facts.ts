// What the tests look at afterwards: commits by their trailers, branches, worktrees, the checkout. Changes nothing.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Bed } from './bed.ts';
import type { Ended } from './choo.ts';

/** A commit as git tells of it. */
export interface Commit {
  readonly id: string;
  readonly subject: string;
  readonly unit: string;
  readonly task: string;
  readonly landed: string;
}

/** Every commit reachable from `ref`, oldest first. */
export function commits(bed: Bed, ref = 'main'): readonly Commit[] {
  const trailer = (key: string): string => `%(trailers:key=${key},valueonly,separator=%x20)`;
  const format = ['%H', '%s', trailer('Choo-Unit'), trailer('Choo-Task'), trailer('Choo-Landed')].join('%x1f');
  return bed.git('log', '--reverse', '--topo-order', `--format=${format}`, ref).split('\n').map((line) => {
    const [id = '', subject = '', unit = '', task = '', landed = ''] = line.split('\u001F');
    return { id, subject, unit, task, landed };
  });
}

/** `unit#task` of every commit that completes a task, sorted. */
export function completedTasks(bed: Bed, ref = 'main'): readonly string[] {
  return commits(bed, ref).filter((c) => c.task !== '').map((c) => `${c.unit}#${c.task}`).toSorted();
}

/** Subjects of all commits, oldest first, from after the specs on. */
export function subjects(bed: Bed, ref = 'main'): readonly string[] {
  return commits(bed, ref).map((c) => c.subject);
}

/** Every ref but remote-tracking ones. */
export function refs(bed: Bed): readonly string[] {
  return bed.git('for-each-ref', '--format=%(refname)').split('\n').filter((ref) => ref !== '');
}

/** Folders of all worktrees but the main checkout. */
export function worktrees(bed: Bed): readonly string[] {
  return bed.git('worktree', 'list', '--porcelain').split('\n').filter((line) => line.startsWith('worktree ')).map((line) => line.slice('worktree '.length)).slice(1);
}

/** A file's text at a commit, or undefined. */
export function fileAt(bed: Bed, ref: string, path: string): string | undefined {
  return bed.tryGit('cat-file', '-e', `${ref}:${path}`) === 0 ? `${bed.git('cat-file', 'blob', `${ref}:${path}`)}\n` : undefined;
}

/** Expects a whole run to have left nothing: a clean checkout, no worktree, no branch but those named. */
export function expectNothingLeft(bed: Bed, branches: readonly string[] = ['refs/heads/main']): void {
  expect(bed.git('status', '--porcelain'), 'the checkout').toBe('');
  expect(worktrees(bed), 'worktrees').toEqual([]);
  expect(refs(bed), 'refs').toEqual(branches);
  const units = existsSync(bed.state) ? readdirSync(bed.state, { recursive: true, encoding: 'utf8' }).filter((path) => existsSync(join(bed.state, path, '.git'))) : [];
  expect(units, 'folders of worktrees').toEqual([]);
  expect(readdirSync(join(bed.base, 'temporary')), 'temporary files').toEqual([]);
}

/** Expects a run to have ended with that exit code; the message shows what it printed. */
export function expectEnd(ended: Ended, code: number): void {
  expect(ended.code, `${ended.stdout}${ended.stderr}`).toBe(code);
}

/** Expects exit 2, a message that says this, and that nothing was done: no ref, no worktree, no run. */
export function expectRefusal(bed: Bed, ended: Ended, says: RegExp): void {
  expect(ended.stderr + ended.stdout).toMatch(says);
  expectEnd(ended, 2);
  expect(refs(bed).filter((ref) => ref.includes('choo')), 'refs of choo').toEqual([]);
  expect(worktrees(bed).filter((path) => path.startsWith(bed.state)), 'worktrees of choo').toEqual([]);
  expect(ended.stderr, 'a stack').not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
}

/** The notes and failures of a run's events about a unit: kinds in order. */
export function kinds(ended: Ended, unit: string): { readonly notes: readonly string[]; readonly failures: readonly string[] } {
  const of = ended.events.filter((e) => 'unit' in e && e.unit === unit);
  return {
    notes: of.flatMap((e) => ('notes' in e ? e.notes.map((note) => note.kind) : [])),
    failures: of.flatMap((e) => ('failure' in e && e.type !== 'task.failed' && e.type !== 'unit.failed' ? [e.failure.kind] : [])),
  };
}
