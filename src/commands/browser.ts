// Opens an address in a person's browser. Where there is no browser nothing happens: whoever asks shows the address anyhow.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Opens a page or a file, where the environment has a screen to show it on. */
export function showInBrowser(target: string, env: NodeJS.ProcessEnv): void {
  const shows = process.platform === 'darwin' || env['DISPLAY'] !== undefined || env['WAYLAND_DISPLAY'] !== undefined;
  if (!shows) return;
  const opener = spawn(process.platform === 'darwin' ? 'open' : 'xdg-open', [target], { detached: true, stdio: 'ignore', env });
  // Its address is shown anyhow.
  opener.on('error', () => opener.unref());
  opener.unref();
}

/** Opens a link with a token in it by way of a file of the user's own in `folder`: on a command line everybody on this machine could read it. */
export async function showLink(link: string, o: { readonly folder: string; readonly env: NodeJS.ProcessEnv }): Promise<void> {
  const path = join(o.folder, 'dashboard.html');
  const fresh = `${path}.${randomUUID()}`;
  const safe = encodeURI(link).replaceAll('&', '&amp;').replaceAll('\'', '&#39;');
  await writeFile(fresh, `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${safe}">
<title>choo</title>
<a href="${safe}">the dashboard</a>
`, { flag: 'wx', mode: 0o600 });
  await rename(fresh, path);
  showInBrowser(path, o.env);
}
