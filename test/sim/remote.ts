// The repository that the target is pushed to: somebody else's machine, on which others push as well. Shares the store of objects.

import { GitError } from '../../src/world.ts';
import type { Git } from '../../src/world.ts';
import type { CallOptions, Gate } from './gate.ts';
import type { Objects } from './objects.ts';
import { TARGET } from './scenario.ts';

/** Who gave a remote branch a value: `forge` is a merge by it, whoever asked for that. */
type RemoteActor = 'choo' | 'other' | 'forge';

/** One move of one remote branch; without `to` it was removed. `at`: events that there were. */
export interface RemoteMove { readonly by: RemoteActor; readonly ref: string; readonly from: string | undefined; readonly to: string | undefined; readonly at: number }

/** A remote: its branches by full ref. */
export class Remote {
  /** Nobody answers. */
  away = false;
  /** A hook refuses every push of choo's. */
  refuses = false;
  readonly moves: RemoteMove[] = [];
  /** Refs of choo's own there. */
  readonly saves = new Map<string, string>();
  /** Told after each move. */
  onMove: (move: RemoteMove) => void = () => undefined;
  readonly #objects: Objects;
  readonly #events: () => number;
  readonly #branches = new Map<string, string>();

  /** `events` tells how many there are in the journal. */
  constructor(objects: Objects, o: { readonly tip?: string; readonly events?: () => number }) {
    this.#objects = objects;
    this.#events = o.events ?? (() => 0);
    if (o.tip !== undefined) this.#branches.set(TARGET, o.tip);
  }

  /** Where the target is there. */
  get tip(): string | undefined {
    return this.#branches.get(TARGET);
  }

  get branches(): ReadonlyMap<string, string> {
    return this.#branches;
  }

  /** Only forward; false when it does not contain what is there. */
  push(by: RemoteActor, to: string, ref = TARGET): boolean {
    const from = this.#branches.get(ref);
    if (from === to) return true;
    if (from !== undefined && !this.#objects.isAncestor(from, to)) return false;
    this.set(by, { ref, to });
    return true;
  }

  /** By force. */
  set(by: RemoteActor, { ref, to }: { readonly ref: string; readonly to: string | undefined }): void {
    const from = this.#branches.get(ref);
    if (from === to) return;
    if (to === undefined) this.#branches.delete(ref);
    else this.#branches.set(ref, to);
    const move = { by, ref, from, to, at: this.#events() };
    this.moves.push(move);
    this.onMove(move);
  }

  /** Where a branch was when there were so many events. */
  tipAt(ref: string, events: number): string | undefined {
    const last = this.moves.findLast((move) => move.ref === ref && move.at < events);
    return last === undefined ? this.moves.find((move) => move.ref === ref)?.from ?? (ref === TARGET ? this.tip : undefined) : last.to;
  }
}

/** What is saved of a run: commits whose files are its journal, part after part. */
function simSaves(o: { readonly remote: Remote; readonly objects: Objects; readonly gate: Gate; readonly fenced: CallOptions; readonly reach: (command: string) => void }): Pick<Git, 'makeSave' | 'readSave' | 'pushAll'> {
  const { objects, remote, gate } = o;
  return {
    makeSave: ({ parent, first, text, keeps, message }) => gate('makeSave', () => {
      const files = new Map(parent === undefined ? [] : objects.filesOf(parent));
      if (text !== '') files.set(`${String(first).padStart(9, '0')}.jsonl`, text);
      return objects.commit({ tree: objects.tree(files), parents: [...(parent === undefined ? [] : [parent]), ...keeps], message }).id;
    }),
    readSave: (commit) => gate('readSave', () => [...objects.filesOf(commit)].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text).join('')),
    pushAll: ({ refs }) => gate('pushAll', () => {
      o.reach('git push');
      if (remote.refuses) return { kind: 'refused', detail: 'pre-receive hook declined' };
      const backwards = [...refs].find(([ref, to]) => { const at = remote.saves.get(ref); return at !== undefined && !objects.isAncestor(at, to); });
      if (backwards !== undefined) return { kind: 'refused', detail: `rejected: ${backwards[0]}` };
      for (const [ref, to] of refs) remote.saves.set(ref, to);
      return { kind: 'pushed' };
    }, o.fenced),
  };
}

const NO_ANSWER = 'no answer';

/** The part of git that talks to a remote. */
export function simRemote(o: { readonly remote: Remote; readonly objects: Objects; readonly gate: Gate; readonly fenced: CallOptions }): Pick<Git, 'remoteTip' | 'push' | 'removeRemote' | 'makeSave' | 'readSave' | 'pushAll'> {
  const { remote, gate } = o;
  const reach = (command: string): void => {
    if (remote.away) throw new GitError(command, NO_ANSWER);
  };
  return {
    ...simSaves({ ...o, reach }),
    remoteTip: ({ ref }) => gate('remoteTip', () => {
      reach('git ls-remote');
      return ref.startsWith('refs/choo/') ? remote.saves.get(ref) : remote.branches.get(ref);
    }),
    push: ({ commit, ref }) => gate('push', () => {
      reach('git push');
      if (remote.refuses) return { kind: 'refused', detail: 'pre-receive hook declined' };
      return remote.push('choo', commit, ref) ? { kind: 'pushed' } : { kind: 'refused', detail: 'rejected' };
    }, o.fenced),
    removeRemote: ({ ref, at }) => gate('removeRemote', () => {
      reach('git push');
      if (remote.branches.get(ref) === at) remote.set('choo', { ref, to: undefined });
    }, o.fenced),
  };
}
