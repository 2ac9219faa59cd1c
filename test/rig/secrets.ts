// Secrets for tests: one of each well-known shape, all of them telling where they came from, so that a leak names its source.

/** Written in pieces so that no scanner takes a test for a leak. */
const shaped = (...parts: readonly string[]): string => parts.join('');

/** What is looked for, by a name; what follows it in its text is the secret. */
export type Corpus = ReadonlyMap<string, string>;

/** A letter and a digit for each character of a word, so that each source has its own secrets in every alphabet. */
function tag(source: string): string {
  return Array.from(source.toUpperCase().padEnd(8, 'X').slice(0, 8), (c, i) => `${c}${(c.charCodeAt(0) + i) % 10}`).join('');
}

/** One of each shape, with the part of it that must not be seen as the value. */
export function secretsFrom(source: string): Corpus {
  const body = `${tag(source)}a1B2c3D4e5F6g7H8i9J0k1L2`;
  const block = ['-----BEGIN OPENSSH PRIVATE KEY-----', `b3Blbn${body}`, `gtZWQ${body}`, '-----END OPENSSH PRIVATE KEY-----'].join('\n');
  return new Map([
    ['anthropic', shaped('sk-', 'ant-', 'api03-', body)], ['openai', shaped('sk-', 'proj-', body)], ['github classic', shaped('gh', 'p_', body)], ['github oauth', shaped('gh', 'o_', body)],
    ['github app', shaped('gh', 's_', body)], ['github fine', shaped('github', '_pat_', body)], ['gitlab', shaped('gl', 'pat-', body)], ['slack bot', shaped('xox', 'b-123456789012-', body)],
    ['aws', shaped('AK', 'IA', tag(source).slice(0, 16))], ['google', shaped('AI', 'za', body)], ['npm', shaped('np', 'm_', body)], ['slack hook', shaped('https://hooks.', 'slack.com/services/T000/B000/', body)],
    ['header', shaped('Author', 'ization: Bearer ', body)], ['key block', block],
  ]);
}

/** The sources whose secrets a text holds, in part: what tells them apart, 12 characters, is in all of them. */
export function leaked(text: string, sources: readonly string[]): readonly string[] {
  return sources.filter((source) => text.includes(tag(source).slice(0, 12)));
}

/** All of a corpus as lines. */
export function linesOf(corpus: Corpus): string {
  return [...corpus].map(([name, secret]) => `${name}: ${secret}`).join('\n');
}
