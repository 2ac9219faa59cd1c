// Where Codex's native program is. npm installs a wrapper that only starts it, and ending the wrapper leaves it running.

import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The native program behind `program` (an absolute path: the wrapper, a link to it, or the native program itself); undefined when the wrapper's package lacks it. */
export function nativeCodex(program: string): string | undefined {
  const real = realpathSync(program);
  if (basename(real) !== 'codex.js') return real;
  const folder = dirname(dirname(real));
  const [system, name] = process.platform === 'darwin' ? ['apple-darwin', 'darwin'] : ['unknown-linux-musl', 'linux'];
  const triple = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-${system}`;
  const platform = `codex-${name}-${process.arch}`;
  // The platform's package lies inside or beside it, as npm likes; older versions hold the program themselves.
  const packages = [join(folder, 'node_modules', '@openai', platform), join(dirname(folder), platform), folder];
  return packages.map((place) => join(place, 'vendor', triple, 'bin', 'codex')).find((path) => existsSync(path));
}
