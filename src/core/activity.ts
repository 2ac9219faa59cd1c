// What an agent is doing, for people who watch. Chatter, not fact: it is in no event.

/** One thing an agent was seen doing. `text` is one line, short; secrets are taken out before anybody gets it. */
export interface Activity {
  readonly kind: 'text' | 'command' | 'file' | 'tool';
  readonly text: string;
}
