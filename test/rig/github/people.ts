// What people do on the fake GitHub besides what choo does: a test speaks for them. Also CI and who owns the repository.
// Everything first follows git, as a request would.

import { addComment, addReview, createPull, editPull, react, reply, setDraft, type Remark } from './acts.ts';
import { follow } from './follow.ts';
import { advance, enqueue, hindrances, land, type Method } from './merging.ts';
import {
  accountOf, addAccount, checksOf, nextId, nodeIdOf, rulesOf, same, touch,
  type Account, type Annotation, type CheckConclusion, type CheckRun, type Permission, type Pull, type ReactionContent, type Rules, type State, type Status, type Thread,
} from './state.ts';

/** Result of a check, as CI reports it. */
export interface CheckResult {
  readonly name: string;
  /** Default: `completed` with a conclusion, `in_progress` without. */
  readonly status?: CheckRun['status'];
  readonly conclusion?: CheckConclusion;
  readonly log?: string;
  readonly annotations?: readonly Annotation[];
  readonly title?: string;
  readonly summary?: string;
  /** A run of its own beside the one of this name that there is. */
  readonly rerun?: boolean;
  /** A run in a suite of its own, as of a second workflow: both count, and both are listed. */
  readonly beside?: boolean;
  /** Reported by some App and not by GitHub Actions: has no log. */
  readonly foreign?: boolean;
}

/** What a test does as somebody. Logins are given without `@`; commits by id. All throw what GitHub would refuse. */
export interface People {
  /** Somebody new with a permission on the repository; or another permission for who is there. */
  addUser(login: string, permission: Permission): void;
  /** Deletes an account: what it said stays, and has no author. */
  removeUser(login: string): void;
  /** A team that may be asked for reviews, by its slug. */
  addTeam(slug: string): void;
  /** A token for somebody; with `permissions` a fine-grained one. `expires`: ms since 1970. */
  addToken(login: string, o?: { readonly permissions?: Readonly<Record<string, string>>; readonly expires?: number }): string;
  /** From now on a token is refused with 401. */
  revoke(token: string): void;
  /** Installs a GitHub App whose web tokens are checked with `publicKey` (PEM). Gives the installation's id. */
  installApp(o: { readonly id: number; readonly slug: string; readonly publicKey: string; readonly clientId?: string; readonly permission?: Permission; readonly permissions?: Readonly<Record<string, string>> }): number;
  /** Sets what a branch demands; what is not given stays. */
  setRules(branch: string, rules: Partial<Rules>): void;
  /** Sets what the repository allows, and a name `owner/repo` that it had before: GitHub redirects from there. */
  setRepository(o: { readonly methods?: readonly Method[]; readonly deleteBranchOnMerge?: boolean; readonly formerly?: string }): void;

  /** The pull request as it is now. Throws when there is none. */
  pull(number: number): Readonly<Pull>;
  /** All pull requests, by number. */
  pulls(): readonly Readonly<Pull>[];
  /** Makes a pull request by hand; gives its number. */
  openPull(by: string, o: { readonly head: string; readonly base?: string; readonly title?: string; readonly body?: string; readonly draft?: boolean }): number;
  /** Hands in a review; gives its id and those of its comments. */
  review(number: number, o: { readonly by: string; readonly state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED'; readonly body?: string; readonly comments?: readonly Remark[] }): { readonly id: number; readonly comments: readonly number[] };
  /** Takes the weight from a review. */
  dismiss(number: number, review: number): void;
  /** Comments below a pull request; gives the id. */
  comment(number: number, by: string, body: string): number;
  /** Changes a comment, below a pull request or about a line. */
  editComment(id: number, body: string): void;
  /** Hides a comment of either kind, or a review, by its id. */
  minimize(id: number): void;
  /** Removes a comment below a pull request. */
  deleteComment(id: number): void;
  /** Answers a comment about a line; gives the id. */
  reply(comment: number, by: string, body: string): number;
  /** Resolves the thread that a comment about a line is in. */
  resolve(comment: number, by: string): void;
  unresolve(comment: number): void;
  react(number: number, by: string, content: ReactionContent): void;
  /** Takes a reaction back. */
  unreact(number: number, by: string, content: ReactionContent): void;
  /** Changes title, text, base or draft by hand. */
  edit(number: number, o: { readonly title?: string; readonly body?: string; readonly base?: string; readonly draft?: boolean }): void;
  closePull(number: number): void;
  reopenPull(number: number): void;
  /** Merges by hand; rules do not hold an admin back. Gives the commit on the base. */
  merge(number: number, by: string, method?: Method): string;

  /** Reports a check of a commit; gives the id of its run, which is that of its job too. */
  setCheck(commit: string, result: CheckResult): number;
  /** Reports a status of a commit. */
  setStatus(commit: string, o: { readonly context: string; readonly state: Status['state']; readonly description?: string; readonly url?: string }): void;
  /** Puts a pull request into the queue by hand. */
  enqueue(number: number, by: string): void;
  /** Lets the first of a branch's queue (default `main`) land, or throws it out with `kick`; gives its number and what became of it. */
  advanceQueue(o?: { readonly branch?: string; readonly kick?: boolean }): { readonly number: number; readonly landed: boolean } | undefined;
}

/** The people of a state. */
export function people(state: State): People {
  const ours: People = { ...household(state), ...talk(state), ...deeds(state) };
  // Git is looked at before each of them, so that what a test pushed right before is seen first.
  return Object.fromEntries(Object.entries(ours).map(([name, act]: [string, (...args: never[]) => unknown]) => [name, (...args: never[]) => {
    follow(state);
    return act(...args);
  }])) as unknown as People;
}

type Household = Pick<People, 'addUser' | 'removeUser' | 'addTeam' | 'addToken' | 'revoke' | 'installApp' | 'setRules' | 'setRepository'>;

function household(state: State): Household {
  return {
    addUser: (login, permission) => {
      const there = accountOf(state, login);
      if (there === undefined) addAccount(state, { login, type: 'User', permission });
      else state.members.set(there, permission);
    },
    removeUser: (login) => {
      state.accounts.splice(state.accounts.indexOf(someone(state, login)), 1);
    },
    addTeam: (slug) => {
      state.teams.add(slug);
    },
    addToken: (login, o = {}) => {
      const value = `${o.permissions === undefined ? 'ghp' : 'github_pat'}_${nextId(state)}of${login}`;
      state.tokens.push({ value, account: someone(state, login), installation: false, revoked: false, ...o });
      return value;
    },
    revoke: (token) => {
      for (const one of state.tokens) if (one.value === token) one.revoked = true;
    },
    installApp: (o) => {
      const account = addAccount(state, { login: `${o.slug}[bot]`, type: 'Bot', permission: o.permission ?? 'write' });
      const installation = nextId(state);
      state.apps.push({
        id: o.id, clientId: o.clientId ?? `Iv1.${o.slug}`, slug: o.slug, installation, publicKey: o.publicKey, account,
        permissions: o.permissions ?? { contents: 'write', pull_requests: 'write', issues: 'write', checks: 'read', statuses: 'read', actions: 'read', metadata: 'read' },
      });
      return installation;
    },
    setRules: (branch, rules) => {
      state.rules.set(branch, { ...rulesOf(state, branch), ...rules });
    },
    setRepository: (o) => {
      Object.assign(state, o);
    },
  };
}

type Talk = Pick<People, 'review' | 'dismiss' | 'comment' | 'editComment' | 'minimize' | 'deleteComment' | 'reply' | 'resolve' | 'unresolve' | 'react' | 'unreact'>;

function talk(state: State): Talk {
  return {
    review: (number, o) => {
      const pull = pullOf(state, number);
      const review = addReview(state, pull, { ...o, by: someone(state, o.by) });
      return { id: review.id, comments: pull.threads.flatMap((thread) => thread.comments.filter((comment) => comment.review === review).map(({ id }) => id)) };
    },
    dismiss: (number, review) => {
      const pull = pullOf(state, number);
      for (const one of pull.reviews) if (one.id === review) one.state = 'DISMISSED';
      touch(state, pull);
    },
    comment: (number, by, body) => addComment(state, pullOf(state, number), { by: someone(state, by), body }).id,
    editComment: (id, body) => {
      for (const pull of state.pulls) {
        const found = [...pull.comments, ...pull.threads.flatMap(({ comments }) => comments)].find((comment) => comment.id === id);
        if (found === undefined) continue;
        Object.assign(found, { body, updatedAt: state.now() });
        touch(state, pull);
      }
    },
    minimize: (id) => {
      const said = state.pulls.flatMap((pull) => [...pull.comments, ...pull.reviews, ...pull.threads.flatMap(({ comments }) => comments)]);
      for (const one of said) if (one.id === id) one.minimized = true;
    },
    deleteComment: (id) => {
      for (const pull of state.pulls) {
        const at = pull.comments.findIndex((comment) => comment.id === id);
        if (at === -1) continue;
        pull.comments.splice(at, 1);
        touch(state, pull);
      }
    },
    reply: (comment, by, body) => {
      const { pull, thread } = threadOf(state, comment);
      return reply(state, pull, { thread, by: someone(state, by), body }).id;
    },
    resolve: (comment, by) => {
      threadOf(state, comment).thread.resolvedBy = someone(state, by);
    },
    unresolve: (comment) => {
      threadOf(state, comment).thread.resolvedBy = undefined;
    },
    react: (number, by, content) => react(state, pullOf(state, number), { by: someone(state, by), content }),
    unreact: (number, by, content) => {
      const { reactions } = pullOf(state, number);
      const at = reactions.findIndex((reaction) => same(reaction.user.login, by) && reaction.content === content);
      if (at !== -1) reactions.splice(at, 1);
    },
  };
}

type Deeds = Omit<People, keyof Household | keyof Talk>;

function deeds(state: State): Deeds {
  return {
    pull: (number) => pullOf(state, number),
    pulls: () => state.pulls,
    openPull: (by, o) => createPull(state, someone(state, by), { base: 'main', title: o.head, ...o }).number,
    edit: (number, { draft, ...o }) => {
      editPull(state, pullOf(state, number), o);
      if (draft !== undefined) setDraft(state, pullOf(state, number), draft);
    },
    closePull: (number) => editPull(state, pullOf(state, number), { state: 'closed' }),
    reopenPull: (number) => editPull(state, pullOf(state, number), { state: 'open' }),
    merge: (number, by, method = 'merge') => {
      const pull = pullOf(state, number);
      const account = someone(state, by);
      const first = state.members.get(account) === 'admin' ? undefined : hindrances(state, pull)[0];
      const done = pull.state === 'closed' ? { refused: 'is closed' } : first === undefined ? land(state, pull, { method, by: account }) : { refused: first.message };
      if ('refused' in done) throw new Error(`#${number} is not merged: ${done.refused}`);
      return done.commit;
    },
    setCheck: (commit, result) => setCheck(state, commit, result),
    setStatus: (commit, o) => {
      const id = nextId(state);
      state.statuses.push({ id, nodeId: nodeIdOf('SC', id), commit, context: o.context, state: o.state, description: o.description ?? null, url: o.url ?? null, at: state.now() });
    },
    enqueue: (number, by) => {
      const no = enqueue(state, pullOf(state, number), { by: someone(state, by) });
      if (no !== undefined) throw new Error(`#${number} is not queued: ${no.refused}`);
    },
    advanceQueue: (o = {}) => {
      const done = advance(state, o.branch ?? 'main', { kick: o.kick === true });
      return done === undefined ? undefined : { number: done.pull.number, landed: done.landed };
    },
  };
}

function setCheck(state: State, commit: string, result: CheckResult): number {
  if (state.bare.commitOf(commit) === undefined) throw new Error(`no commit ${commit}`);
  const status = result.status ?? (result.conclusion === undefined ? 'in_progress' : 'completed');
  const said = {
    status, conclusion: result.conclusion, endedAt: status === 'completed' ? state.now() : undefined,
    ...(result.log === undefined ? {} : { log: result.log }), ...(result.title === undefined ? {} : { title: result.title }), ...(result.summary === undefined ? {} : { summary: result.summary }),
    ...(result.annotations === undefined ? {} : { annotations: result.annotations }),
  };
  const there = checksOf(state, commit).findLast(({ name }) => name === result.name);
  if (there !== undefined && result.rerun !== true && result.beside !== true) {
    Object.assign(there, said);
    return there.id;
  }
  const id = nextId(state);
  state.checks.push({ id, nodeId: nodeIdOf('CR', id), suite: result.beside === true || there === undefined ? nextId(state) : there.suite, commit, name: result.name, at: state.now(), annotations: [], ...said, ...(result.foreign === true ? {} : { run: nextId(state) }) });
  return id;
}

function someone(state: State, login: string): Account {
  const account = accountOf(state, login);
  if (account === undefined) throw new Error(`nobody is called ${login}`);
  return account;
}

function pullOf(state: State, number: number): Pull {
  const pull = state.pulls.find((one) => one.number === number);
  if (pull === undefined) throw new Error(`there is no pull request #${number}`);
  return pull;
}

function threadOf(state: State, comment: number): { readonly pull: Pull; readonly thread: Thread } {
  for (const pull of state.pulls) {
    const thread = pull.threads.find(({ comments }) => comments.some(({ id }) => id === comment));
    if (thread !== undefined) return { pull, thread };
  }
  throw new Error(`no thread has a comment ${comment}`);
}
