// People at a simulated forge: they look at pull requests when there is news, and approve, complain, push, rewrite, close, merge, or never come.

import type { Feedback } from '../../src/core/pull-facts.ts';
import type { Host, HostedPull } from './hosted.ts';
import type { Machine } from './machine.ts';
import type { Rng, Weights } from './rng.ts';
import { TARGET } from './scenario.ts';

const DEEDS = {
  approve: 10, ask: 6, comment: 3, stranger: 4, 'stranger-approves': 1, push: 3, 'push-bad': 1, rewrite: 2, close: 1, merge: 2, 'drop-branch': 1, target: 3, clash: 2,
  silence: 1, edit: 1, again: 2, lock: 2, look: 2,
} satisfies Weights<string>;

type Deed = keyof typeof DEEDS;

const PEOPLE = ['ann', 'bob'];
const STRANGER = 'eve';

/** Who looks at the pull requests of one machine. */
export class Reviewers {
  readonly #m: Machine;
  readonly #host: Host;
  readonly #rng: Rng;
  /** What is left of people's patience with each pull request. */
  readonly #talk = new Map<HostedPull, number>();
  readonly #coming = new Set<HostedPull>();
  /** Nobody comes to these until the good time. */
  readonly #forgotten = new Set<HostedPull>();

  constructor(m: Machine, host: Host) {
    this.#m = m;
    this.#host = host;
    this.#rng = host.rng;
    host.onNews = (pull) => this.#come(pull);
  }

  /** The good time: checks pass, nobody says no any more, everything is looked at. */
  beGood(): void {
    this.#host.calm = true;
    this.#host.locked = false;
    this.#forgotten.clear();
    for (const pull of this.#host.pulls) {
      // What everybody is content with is looked at by nobody.
      if (pull.yes.size > 0 && pull.no.size === 0 && this.#host.obstacle(pull) === undefined) continue;
      pull.no.clear();
      this.#host.again(pull);
      this.#host.news(pull);
    }
  }

  /** Somebody comes some time, unless somebody is on the way already. */
  #come(pull: HostedPull): void {
    const late = pull.state === 'merged' && !this.#host.calm && this.#rng.chance(0.15);
    if (this.#coming.has(pull) || this.#forgotten.has(pull) || (pull.state !== 'open' && !late)) return;
    this.#coming.add(pull);
    this.#m.timeline.after(this.#rng.between(1, late ? 20 : this.#rng.pick([1000, 60_000, 4 * 3_600_000])), () => {
      this.#coming.delete(pull);
      if (pull.state === 'open') this.#visit(pull);
      // Somebody goes on with a branch that has just been merged.
      else if (late) this.#push(pull, { text: 'by a person', path: `people/${pull.number}` });
    });
  }

  #visit(pull: HostedPull): void {
    const left = this.#talk.get(pull) ?? this.#host.hosting.talk;
    this.#talk.set(pull, left - 1);
    // Nobody reviews a draft; but people push to it, or close it.
    const drawn = left <= 0 || this.#host.calm ? 'approve' : pull.draft && this.#rng.chance(0.05) ? 'close' : this.#rng.weighted(DEEDS);
    const deed = pull.draft && drawn === 'approve' ? 'look' : drawn;
    this.#m.note(`      at pull request ${pull.number} (${pull.branch}): ${deed}`);
    if (deed !== 'look') this.#m.coverage.hit(`review-${deed}`, [this.#m.windowOf(unitOf(pull))]);
    this.#do(pull, deed);
    if (!this.#done(pull)) this.#come(pull);
  }

  /** Nothing more is to be done about it as it is. */
  #done(pull: HostedPull): boolean {
    return pull.draft || pull.yes.size > 0 && this.#rng.chance(0.7);
  }

  #do(pull: HostedPull, deed: Deed): void {
    const host = this.#host;
    const who = this.#rng.pick(PEOPLE);
    switch (deed) {
      case 'approve': return this.#approve(pull, who);
      case 'ask': this.#say(pull, { kind: 'thread', who }); host.review(pull, { who, yes: false }); return;
      case 'comment': return this.#say(pull, { kind: 'comment', who });
      case 'stranger': return this.#say(pull, { kind: this.#rng.pick(['thread', 'comment', 'review'] as const), who: STRANGER });
      case 'stranger-approves': pull.ignored.push({ id: `reaction:${pull.ignored.length}`, who: STRANGER, what: 'reaction' }); host.changed(); return;
      case 'push': return this.#push(pull, { text: 'by a person', path: this.#rng.chance(0.6) ? `people/${pull.number}` : `shared/${this.#rng.below(2)}` });
      case 'push-bad': return this.#push(pull, { text: 'done broken by a person', path: `src/${unitOf(pull)}/1` });
      case 'rewrite': return this.#rewrite(pull);
      case 'close': return host.close(pull);
      case 'merge': if (!pull.draft && !host.hosting.queue) host.merge(pull, { by: 'person', method: host.hosting.squash ? 'squash' : 'merge', message: `Merge pull request #${pull.number}\n` }); return;
      case 'drop-branch': return this.#set(pull, undefined);
      case 'target': return this.#pushTarget(`others/${this.#rng.below(3)}`);
      case 'clash': return this.#pushTarget(this.#rng.chance(0.5) ? `shared/${this.#rng.below(2)}` : `src/${unitOf(pull)}/1`);
      case 'silence': this.#forgotten.add(pull); return;
      case 'edit': pull.body = `${pull.body}\nand this`; pull.title = 'better'; return;
      case 'again': return host.again(pull);
      case 'lock': host.locked = true; this.#m.timeline.after(this.#rng.between(1, 600_000), () => { host.locked = false; }); return;
      case 'look': return;
      default: return deed satisfies never;
    }
  }

  /** Some think better of it soon after. */
  #approve(pull: HostedPull, who: string): void {
    for (const yes of this.#host.calm ? PEOPLE : [who]) this.#host.review(pull, { who: yes, yes: true });
    if (this.#host.calm || !this.#rng.chance(0.15)) return;
    this.#m.timeline.after(this.#rng.between(1, 40_000), () => { if (!this.#host.calm && pull.state === 'open') this.#host.review(pull, { who, yes: false }); });
  }

  #say(pull: HostedPull, o: { readonly kind: Exclude<Feedback['kind'], 'check'>; readonly who: string }): void {
    // Now and then the very same words again.
    const text = this.#rng.chance(0.2) ? 'a better name' : this.#m.fresh('please');
    this.#host.say(pull, { ...o, text, ...(o.kind === 'thread' ? { path: `src/${unitOf(pull)}/1`, line: 1 } : {}) }, o.who !== STRANGER);
  }

  /** A commit on top. */
  #push(pull: HostedPull, o: { readonly text: string; readonly path: string }): void {
    const { objects } = this.#m.repo;
    const tip = this.#host.tipOf(pull);
    if (tip === undefined) return;
    const text = this.#m.fresh(o.text);
    const files = objects.filesOf(tip);
    const was = files.get(o.path);
    if (was !== undefined) this.#m.superseded.add(was);
    this.#m.left.set(text, `${o.path} pushed by a person to ${pull.branch}`);
    this.#set(pull, objects.commit({ tree: objects.tree(new Map(files).set(o.path, text)), parents: [tip], message: 'by a person' }).id);
  }

  /** The last commit is made anew. */
  #rewrite(pull: HostedPull): void {
    const { objects } = this.#m.repo;
    const tip = this.#host.tipOf(pull);
    if (tip === undefined) return;
    const { tree, parents, message } = objects.get(tip);
    const files = this.#rng.chance(0.5) ? tree.files : new Map(tree.files).set(`people/${pull.number}`, this.#m.fresh('by a person'));
    this.#m.rewritten.add(unitOf(pull));
    this.#set(pull, objects.commit({ tree: objects.tree(files), parents, message }).id);
  }

  #set(pull: HostedPull, to: string | undefined): void {
    this.#m.remote.set('other', { ref: `refs/heads/${pull.branch}`, to });
  }

  #pushTarget(path: string): void {
    const { objects } = this.#m.repo;
    const { tip } = this.#m.remote;
    if (tip === undefined) return;
    const text = path.startsWith('src/') ? this.#m.fresh('done by others') : this.#m.fresh('by others');
    this.#m.remote.push('other', objects.commit({ tree: objects.tree(new Map(objects.filesOf(tip)).set(path, text)), parents: [tip], message: 'by others' }).id, TARGET);
  }
}

/** The unit that a pull request is of. */
export function unitOf({ branch }: { readonly branch: string }): string {
  return branch.split('/')[2] ?? '';
}

/** A person merged the unit's pull request, as they liked. */
export function isByHand(m: Pick<Machine, 'host'>, unit: string): boolean {
  return m.host?.pulls.some((pull) => unitOf(pull) === unit && pull.merged?.by === 'person') === true;
}
