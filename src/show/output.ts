// Makes a program's output safe for a terminal: colours stay, everything else that steers a terminal goes.

// Written as escapes in strings, because these patterns are made of control characters on purpose.
const SEQUENCES = new RegExp([
  String.raw`(?:\u001b\[|\u009b)(?!\d*(?:;\d*)*m)[0-?]*[ -/]*[@-~]`,
  String.raw`(?:\u001b\]|\u009d)[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)?`,
  String.raw`\u001b[PX^_][^\u001b\n]*(?:\u001b\\)?`,
  String.raw`\u001b(?!\[\d*(?:;\d*)*m)[ -/]*[0-~]?`,
].join('|'), 'g');
const CONTROLS = new RegExp(String.raw`[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]`, 'g');
const HAS_COLOR = new RegExp(String.raw`\u001b\[`);

/** One line of output (without its end), safe to print. A colour that the line leaves on is switched off at its end. */
export function safeOutput(line: string): string {
  const parts = line.replace(/\r+$/, '').split('\r');
  const safe = (parts.at(-1) ?? '').replace(SEQUENCES, '').replace(CONTROLS, '');
  return HAS_COLOR.test(safe) ? `${safe}\u001b[0m` : safe;
}
