// Pull requests at a simulated forge: what is known of each, what is done to them, and how all of that follows the remote's branches.
// Does at once what it is told; who tells it, and what goes wrong on the way, is forge.ts's and reviewers.ts's.

import type { Feedback, Ignored, PullFacts } from '../../src/core/pull-facts.ts';
import type { PullMerge, PullMethod } from '../../src/forge.ts';
import type { Hosting } from './hosting.ts';
import type { Objects } from './objects.ts';
import type { Remote } from './remote.ts';
import type { Rng } from './rng.ts';
import { TARGET } from './scenario.ts';
import type { Timeline } from './timeline.ts';

/** Something said. */
export interface Said { readonly feedback: Feedback; readonly permitted: boolean; /** choo answered it, and the forge shows that. */ answered: boolean }

/** A merge, as it happened. `onto` is where the target was. */
export interface MergeDone { readonly commit: string; readonly head: string; readonly onto: string; readonly by: 'choo' | 'person' }

type Checks = PullFacts['checks'];

/** One pull request. */
export class HostedPull {
  readonly number: number;
  readonly branch: string;
  title: string;
  body: string;
  state: PullFacts['state'] = 'open';
  draft: boolean;
  /** The head as the forge knows it, a while after a push. */
  head: string;
  merged: MergeDone | undefined;
  queued = false;
  readonly yes = new Set<string>();
  readonly no = new Set<string>();
  readonly said: Said[] = [];
  readonly ignored: Ignored[] = [];
  readonly checks = new Map<string, Checks>();
  /** What choo answered, by id; and how often it asked for that, with how many events there were. */
  readonly answers = new Set<string>();
  readonly asked: { readonly id: string; readonly at: number }[] = [];
  /** What choo was told last; and when it asked for the merge that was done, or for a place in the queue. */
  told: PullFacts | undefined;
  asks: { readonly facts: PullFacts | undefined; readonly at: number } | undefined;

  constructor(o: { readonly number: number; readonly branch: string; readonly head: string; readonly title: string; readonly body: string; readonly draft: boolean }) {
    this.number = o.number;
    this.branch = o.branch;
    this.head = o.head;
    this.title = o.title;
    this.body = o.body;
    this.draft = o.draft;
  }
}

interface HostParts { readonly remote: Remote; readonly objects: Objects; readonly timeline: Timeline; readonly rng: Rng; readonly hosting: Hosting; readonly events: () => number }

/** The forge's own side. */
export class Host {
  readonly pulls: HostedPull[] = [];
  /** Told when something about a pull request, or the base of all, is another. */
  readonly listeners = new Set<() => void>();
  /** Told when there is something for people to look at. */
  onNews: (pull: HostedPull) => void = () => undefined;
  /** Nothing is merged, and nothing tells why. */
  locked = false;
  /** Checks pass, and nothing is late. */
  calm = false;
  readonly #o: HostParts;
  readonly #conflicts = new Map<string, boolean>();

  constructor(o: HostParts) {
    this.#o = o;
    o.remote.onMove = ({ ref }) => {
      if (ref === TARGET) return this.changed();
      for (const pull of this.pulls) if (`refs/heads/${pull.branch}` === ref) this.#later(() => this.#sync(pull));
    };
  }

  get hosting(): Hosting {
    return this.#o.hosting;
  }

  /** The stream of everything at the forge. */
  get rng(): Rng {
    return this.#o.rng;
  }

  pull(number: number): HostedPull {
    const pull = this.pulls[number - 1];
    if (pull === undefined) throw new Error(`there is no pull request ${number}`);
    return pull;
  }

  /** Where its branch is; undefined: it is gone. */
  tipOf({ branch }: HostedPull): string | undefined {
    return this.#o.remote.branches.get(`refs/heads/${branch}`);
  }

  /** Makes one of a branch that is there. */
  open(o: { readonly branch: string; readonly title: string; readonly body: string; readonly draft: boolean }): HostedPull {
    const head = this.#o.remote.branches.get(`refs/heads/${o.branch}`) ?? '';
    const pull = new HostedPull({ ...o, head, number: this.pulls.length + 1 });
    this.pulls.push(pull);
    this.#check(pull);
    this.news(pull);
    return pull;
  }

  changed(): void {
    for (const listener of new Set(this.listeners)) listener();
  }

  news(pull: HostedPull): void {
    this.changed();
    this.onNews(pull);
  }

  /** The pull request as the forge tells of it. */
  facts(pull: HostedPull): PullFacts {
    const checks = this.#o.hosting.ci ? pull.checks.get(pull.head) ?? 'none' : 'none';
    const failed = checks === 'failed' ? [{ name: 'ci' }] : [];
    const check: Feedback = { id: `check:ci:${pull.head}`, kind: 'check', who: 'ci', text: `it fails at ${pull.head}` };
    const open = pull.state === 'open';
    return {
      number: pull.number, url: urlOf(pull.number), state: pull.state, draft: pull.draft, head: pull.head, base: 'main',
      ...(pull.merged === undefined ? {} : { merge: pull.merged.commit }), queued: pull.queued, conflict: open && this.#conflicting(pull.head),
      decision: !this.#o.hosting.demands ? 'none' : pull.no.size > 0 ? 'changes-requested' : pull.yes.size > 0 ? 'approved' : 'required',
      approvedBy: [...pull.yes].toSorted(), refusedBy: [...pull.no].toSorted(), looking: [], checks, failed,
      feedback: [
        ...pull.said.filter(({ permitted, answered }) => permitted && !answered).map(({ feedback }) => feedback),
        ...(failed.length > 0 && open && !pull.answers.has(check.id) ? [check] : []),
      ],
      ignored: [...pull.ignored],
    };
  }

  /** Somebody's review; a yes takes the same one's no back. */
  review(pull: HostedPull, o: { readonly who: string; readonly yes: boolean }): void {
    (o.yes ? pull.no : pull.yes).delete(o.who);
    (o.yes ? pull.yes : pull.no).add(o.who);
    this.changed();
  }

  say(pull: HostedPull, feedback: Omit<Feedback, 'id'>, permitted: boolean): void {
    const id = `${feedback.kind}:${pull.number}-${pull.said.length + 1}`;
    pull.said.push({ feedback: { ...feedback, id }, permitted, answered: false });
    if (!permitted && feedback.kind !== 'check') pull.ignored.push({ id, who: feedback.who, what: feedback.kind });
    this.changed();
  }

  /** Once. */
  answer(pull: HostedPull, id: string): void {
    pull.asked.push({ id, at: this.#o.events() });
    if (pull.answers.has(id)) return;
    pull.answers.add(id);
    const said = pull.said.find(({ feedback }) => feedback.id === id);
    this.#later(() => {
      if (said !== undefined) said.answered = true;
      this.news(pull);
    });
  }

  ready(pull: HostedPull): void {
    if (!pull.draft) return;
    pull.draft = false;
    this.news(pull);
  }

  close(pull: HostedPull): void {
    if (pull.state !== 'open') return;
    pull.state = 'closed';
    pull.queued = false;
    this.changed();
  }

  /** The checks of the head run again. */
  again(pull: HostedPull): void {
    this.#check(pull);
  }

  /** Why it cannot be merged as it is; undefined: it can. */
  obstacle(pull: HostedPull): string | undefined {
    const { checks, decision } = this.facts(pull);
    if (this.locked) return 'the base is locked';
    if (pull.state !== 'open' || pull.draft) return `it is ${pull.draft ? 'a draft' : pull.state}`;
    if (this.#conflicting(this.tipOf(pull) ?? pull.head)) return 'it conflicts';
    if (this.#o.hosting.ci && checks !== 'passed') return 'its checks have not passed';
    return decision === 'none' || decision === 'approved' ? undefined : 'it is not approved';
  }

  /** Merges what its branch is at. */
  merge(pull: HostedPull, o: { readonly by: MergeDone['by']; readonly method: PullMethod; readonly message: string }): PullMerge {
    const { objects, remote } = this.#o;
    const onto = remote.tip;
    const head = this.tipOf(pull);
    if (onto === undefined || head === undefined || this.#conflicting(head)) return { kind: 'refused', reason: 'not-mergeable', detail: 'it conflicts' };
    const tree = objects.tree(objects.merge(onto, head).files);
    const { id } = objects.commit({ tree, parents: o.method === 'squash' ? [onto] : [onto, head], message: o.message });
    pull.state = 'merged';
    pull.queued = false;
    pull.head = head;
    pull.merged = { commit: id, head, onto, by: o.by };
    remote.set('forge', { ref: TARGET, to: id });
    if (this.#o.hosting.tidies) remote.set('forge', { ref: `refs/heads/${pull.branch}`, to: undefined });
    this.news(pull);
    return { kind: 'merged', commit: id };
  }

  /** Merged by its turn in the queue, or put out of it. */
  enqueue(pull: HostedPull, o: { readonly head: string; readonly method: PullMethod; readonly message: string }): void {
    if (pull.queued) return;
    pull.queued = true;
    this.changed();
    this.#o.timeline.after(this.#o.rng.between(1000, 600_000), () => {
      if (!pull.queued) return;
      const out = (!this.calm && this.#o.rng.chance(0.2)) || this.tipOf(pull) !== o.head || this.obstacle(pull) !== undefined;
      if (out || this.merge(pull, { by: 'choo', ...o }).kind !== 'merged') {
        pull.queued = false;
        this.news(pull);
      }
    });
  }

  /** The head is where the branch is; without a branch it is closed. */
  #sync(pull: HostedPull): void {
    const tip = this.tipOf(pull);
    if (pull.state !== 'open' || tip === pull.head) return;
    if (tip === undefined) return this.close(pull);
    pull.head = tip;
    pull.queued = false;
    if (this.#o.hosting.dismisses) pull.yes.clear();
    this.#check(pull);
    this.news(pull);
  }

  #check(pull: HostedPull): void {
    if (!this.#o.hosting.ci) return;
    const { rng, timeline } = this.#o;
    const { head } = pull;
    const put = (checks: Checks): void => {
      pull.checks.set(head, checks);
      this.news(pull);
    };
    this.#later(() => put('pending'));
    timeline.after(rng.between(6000, 900_000), () => put(!this.calm && rng.chance(0.2) ? 'failed' : 'passed'));
  }

  /** The forge sees or shows things late, now and then. */
  #later(happen: () => void): void {
    const { rng, timeline } = this.#o;
    if (this.calm || rng.chance(0.7)) happen();
    else timeline.after(rng.between(1, 5000), happen);
  }

  #conflicting(head: string): boolean {
    const { objects, remote } = this.#o;
    if (remote.tip === undefined) return true;
    const key = `${remote.tip} ${head}`;
    const known = this.#conflicts.get(key);
    if (known !== undefined) return known;
    const conflict = objects.merge(remote.tip, head).clashes.size > 0;
    this.#conflicts.set(key, conflict);
    return conflict;
  }
}

/** The address of a pull request. */
export function urlOf(number: number): string {
  return `https://forge/pull/${number}`;
}
