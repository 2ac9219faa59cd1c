// What is told of a worktree's state and what is remembered between two readings of it, as data.

import type { Dirent } from 'node:fs';
import type { StatusEntry, WorktreeStatus } from '../../world.ts';
import type { IndexEntry, IndexFile } from './index-format.ts';

/** A status entry with git's own words about it (state letters, modes, ids), which change when the index does. */
export interface DetailedEntry extends StatusEntry {
  readonly code: string;
}

/** What `git status` tells, with details. */
export interface DetailedStatus extends WorktreeStatus {
  readonly entries: readonly DetailedEntry[];
}

/** The names in a folder, and when it had them. */
export interface Listing {
  readonly stamp: string;
  readonly names: readonly Dirent[];
}

/** What is remembered of a worktree between two looks. Never an answer, only what spares reading a second time. */
export interface Memory {
  /** The index file as last read and what it says. */
  index: { readonly file: Buffer; readonly parsed: IndexFile; readonly mtimeMs: number; readonly folders: ReadonlyMap<string, ReadonlySet<string>>; readonly attributes: boolean; readonly byPath: () => ReadonlyMap<string, IndexEntry> } | undefined;
  /** Folder → its names, as long as its times stay. */
  readonly listings: Map<string, Listing>;
  /** Path → the content's id, as long as the file's times stay. */
  readonly contents: Map<string, { readonly stamp: string; readonly id: string }>;
  /** The tree of the commit that HEAD was last. */
  head: string | undefined;
  /** What git called ignored, under which rules. */
  ignored: { readonly rules: string; readonly paths: ReadonlySet<string> } | undefined;
}

/** An index as it stands, and its time. */
export type ReadIndex = NonNullable<Memory['index']>;

/** `packed-refs` as last read, as long as its stamp stays. */
export interface PackedMemory {
  packed: { readonly stamp: string; readonly refs: ReadonlyMap<string, string> } | undefined;
}

/** `shallow` as last read, as long as its stamp stays. */
export interface CutMemory {
  list?: { readonly stamp: string; readonly ids: ReadonlySet<string> } | undefined;
}

/** What the merge before is worth to the next: what its result has beside the common one. */
export interface QuickMemory {
  /** Two trees and what became of each path between them. */
  last?: { readonly from: string; readonly to: string; readonly others: ReadonlyMap<string, { readonly mode: number; readonly id: string }> };
}
