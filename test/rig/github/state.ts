// What the fake GitHub remembers: people, pull requests and what is said of them, checks, rules of branches. Data and how it is made;
// what follows from the state of git is in follow.ts, what may be merged in merging.ts.

import { createHash } from 'node:crypto';
import type { Bare } from './bare.ts';

/** What somebody may do in the repository; `maintain` is `write` for what is served here. */
export type Permission = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none';

/** Somebody with an account. */
export interface Account {
  readonly id: number;
  readonly nodeId: string;
  /** As REST shows it: that of an App ends in `[bot]`. */
  readonly login: string;
  readonly type: 'User' | 'Bot' | 'Organization';
}

/** Reactions by the names REST gives them. */
export const REACTIONS = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes'] as const;

/** One of the reactions there are. */
export type ReactionContent = (typeof REACTIONS)[number];

/** Somebody's reaction on a pull request. */
export interface Reaction {
  readonly id: number;
  readonly nodeId: string;
  readonly content: ReactionContent;
  readonly user: Account;
  readonly at: number;
}

/** A comment below a pull request, or (then in a thread) about a line. */
export interface Comment {
  readonly id: number;
  readonly nodeId: string;
  readonly author: Account;
  body: string;
  readonly at: number;
  updatedAt: number;
  /** Hidden by somebody. */
  minimized?: boolean;
  /** Of a comment about a line: the review it came with. */
  readonly review?: Review;
}

/** A review that was handed in. */
export interface Review {
  readonly id: number;
  readonly nodeId: string;
  readonly author: Account;
  state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED';
  readonly body: string;
  readonly at: number;
  readonly commit: string;
  /** Hidden by somebody. */
  minimized?: boolean;
}

/** A conversation about a line. */
export interface Thread {
  readonly id: number;
  readonly nodeId: string;
  readonly path: string;
  /** In `commit`. */
  readonly line: number;
  readonly commit: string;
  readonly hunk: string;
  readonly comments: Comment[];
  resolvedBy?: Account | undefined;
}

/** A place in a merge queue. */
export interface QueueEntry {
  readonly nodeId: string;
  /** Lower ones go first. */
  readonly order: number;
  readonly at: number;
  readonly by: Account;
  state: 'QUEUED' | 'AWAITING_CHECKS' | 'MERGEABLE' | 'UNMERGEABLE' | 'LOCKED';
}

/** A pull request. Branches by name; commits by id. */
export interface Pull {
  readonly number: number;
  readonly id: number;
  readonly nodeId: string;
  readonly author: Account;
  readonly head: string;
  headSha: string;
  base: string;
  /** The tip of the base when head or base were last set: GitHub does not move it with the base. */
  baseSha: string;
  /** The tip of the base when it was last looked at. */
  seenBase: string;
  title: string;
  body: string;
  state: 'open' | 'closed';
  draft: boolean;
  maintainerCanModify: boolean;
  merged?: { readonly by: Account; readonly at: number; readonly commit: string };
  closedAt?: number | undefined;
  readonly at: number;
  updatedAt: number;
  readonly labels: string[];
  readonly reviewers: Account[];
  readonly teams: string[];
  readonly comments: Comment[];
  readonly reviews: Review[];
  readonly threads: Thread[];
  readonly reactions: Reaction[];
  queue?: QueueEntry | undefined;
  /** Reads that do not see it yet. */
  hidden: number;
  /** Reads that are told that it is not known yet whether it can be merged, and for which pair of commits that was counted. */
  unknown: number;
  unknownFor: string;
  /** The commit by which it was seen whether it merges, and of which pair of commits. */
  tested?: { readonly pair: string; readonly commit: string };
}

/** A run of a check. */
export interface CheckRun {
  readonly id: number;
  readonly nodeId: string;
  readonly suite: number;
  readonly commit: string;
  readonly name: string;
  status: 'queued' | 'in_progress' | 'completed' | 'waiting' | 'requested' | 'pending';
  conclusion?: CheckConclusion | undefined;
  readonly at: number;
  endedAt?: number | undefined;
  /** Of a job of GitHub Actions. */
  log?: string | undefined;
  annotations: readonly Annotation[];
  title?: string | undefined;
  summary?: string | undefined;
  /** A job of GitHub Actions (its run), or a check that some other App reports. */
  readonly run?: number;
}

/** How a check ended. */
export type CheckConclusion = 'success' | 'failure' | 'neutral' | 'cancelled' | 'skipped' | 'timed_out' | 'action_required';

/** A remark of a check about a line. */
export interface Annotation {
  readonly path: string;
  readonly line: number;
  readonly message: string;
  readonly level?: 'notice' | 'warning' | 'failure';
  readonly title?: string;
}

/** A status of a commit, as services without check runs report it. */
export interface Status {
  readonly id: number;
  readonly nodeId: string;
  readonly commit: string;
  readonly context: string;
  readonly state: 'success' | 'failure' | 'error' | 'pending';
  readonly description: string | null;
  readonly url: string | null;
  readonly at: number;
}

/** What a base branch demands. */
export interface Rules {
  /** Names of check runs or contexts of statuses. */
  readonly checks: readonly string[];
  readonly approvals: number;
  /** The pull request has to contain the base's tip. */
  readonly strict: boolean;
  readonly queue: boolean;
  readonly queueMethod: 'MERGE' | 'SQUASH' | 'REBASE';
  /** A push dismisses approvals. */
  readonly dismissStale: boolean;
  /** All threads have to be resolved. */
  readonly resolved: boolean;
  /** Where it is set: a ruleset, which everybody can read, or the branch's protection, of which only admins can read all. */
  readonly by: 'ruleset' | 'protection';
}

/** A secret that lets somebody in. */
export interface Token {
  readonly value: string;
  readonly account: Account;
  /** Of a fine-grained token or an installation: what it may, like `{ pull_requests: 'write' }`; undefined: what its account may. */
  readonly permissions?: Readonly<Record<string, string>>;
  readonly installation: boolean;
  /** ms since 1970. */
  readonly expires?: number;
  revoked: boolean;
}

/** A GitHub App that is installed on the repository. */
export interface App {
  readonly id: number;
  readonly clientId: string;
  readonly slug: string;
  readonly installation: number;
  /** PEM. */
  readonly publicKey: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly account: Account;
}

/** Everything there is. */
export interface State {
  readonly owner: string;
  readonly repo: string;
  readonly bare: Bare;
  /** ms since 1970. */
  readonly now: () => number;
  /** Base of the REST API, without a slash at the end. */
  url: string;
  /** Where logs of jobs are, without a slash at the end. */
  logs: string;
  readonly isPrivate: boolean;
  readonly accounts: Account[];
  readonly members: Map<Account, Permission>;
  readonly teams: Set<string>;
  readonly labels: Set<string>;
  readonly pulls: Pull[];
  readonly checks: CheckRun[];
  readonly statuses: Status[];
  readonly rules: Map<string, Rules>;
  readonly tokens: Token[];
  readonly apps: App[];
  /** Ways to merge that the repository allows. */
  methods: readonly ('merge' | 'squash' | 'rebase')[];
  deleteBranchOnMerge: boolean;
  /** The name that the repository had, `owner/repo`. */
  formerly: string | undefined;
  /** Reads that are told `unknown` after head or base of a pull request moved. */
  lag: number;
  /** Reads that do not see the next pull requests that are made. */
  hide: number;
  /** Refs as they were last looked at. */
  refs: ReadonlyMap<string, string>;
  lastId: number;
}

/** A state without anything in it but the owner. */
export function newState(o: { readonly owner: string; readonly repo: string; readonly bare: Bare; readonly now: () => number; readonly isPrivate: boolean }): State {
  const state: State = {
    ...o, url: '', logs: '', accounts: [], members: new Map(), teams: new Set(), labels: new Set(), pulls: [], checks: [], statuses: [], rules: new Map(), tokens: [], apps: [],
    methods: ['merge', 'squash', 'rebase'], deleteBranchOnMerge: false, formerly: undefined, lag: 0, hide: 0, refs: new Map(), lastId: 1000,
  };
  addAccount(state, { login: o.owner, type: 'User', permission: 'admin' });
  return state;
}

/** Makes an account with a permission on the repository. */
export function addAccount(state: State, o: { readonly login: string; readonly type: Account['type']; readonly permission: Permission }): Account {
  const id = nextId(state);
  const account: Account = { id, nodeId: nodeIdOf(o.type === 'Bot' ? 'BOT' : 'U', id), login: o.login, type: o.type };
  state.accounts.push(account);
  state.members.set(account, o.permission);
  return account;
}

/** The account of a login, however it is written; undefined: none. */
export function accountOf(state: State, login: string): Account | undefined {
  return state.accounts.find((account) => same(account.login, login));
}

/** What somebody may do: in a public repository everybody may read. */
export function permissionOf(state: State, account: Account): Permission {
  const given = state.members.get(account) ?? 'none';
  return given === 'none' && !state.isPrivate ? 'read' : given;
}

/** Whether somebody may do what `least` may. */
export function may(state: State, account: Account, least: Permission): boolean {
  const order: readonly Permission[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin'];
  return order.indexOf(permissionOf(state, account)) >= order.indexOf(least);
}

/** A number that nothing else has. */
export function nextId(state: State): number {
  state.lastId += 1;
  return state.lastId;
}

/** An id of GraphQL: it tells its kind to nobody who is honest. */
export function nodeIdOf(kind: string, id: number | string): string {
  return `${kind}_kwDO${createHash('sha256').update(`${kind} ${id}`).digest('base64url').slice(0, 20)}`;
}

/** A time as GitHub writes it: whole seconds. */
export function stamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Names of owners, repositories and people do not differ by case. */
export function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Rules of a branch; without any it demands nothing. */
export function rulesOf(state: State, branch: string): Rules {
  return state.rules.get(branch) ?? { checks: [], approvals: 0, strict: false, queue: false, queueMethod: 'MERGE', dismissStale: false, resolved: false, by: 'ruleset' };
}

/** The tip of a branch; undefined: there is none. */
export function tipOf(state: State, branch: string): string | undefined {
  return state.refs.get(`refs/heads/${branch}`);
}

/** The newest run of each check of a commit in each suite, or all of them; in the order they began. */
export function checksOf(state: State, commit: string, all = false): readonly CheckRun[] {
  const runs = state.checks.filter((run) => run.commit === commit);
  return all ? runs : runs.filter((run, i) => !runs.slice(i + 1).some((later) => later.name === run.name && later.suite === run.suite));
}

/** The newest status of each context of a commit. */
export function statusesOf(state: State, commit: string): readonly Status[] {
  const all = state.statuses.filter((status) => status.commit === commit);
  return all.filter((status, i) => !all.slice(i + 1).some((later) => later.context === status.context));
}

/** Something about it changed. */
export function touch(state: State, pull: Pull): void {
  pull.updatedAt = state.now();
}
