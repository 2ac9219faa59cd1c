// Tree objects read and written without a process. What git would not write that way is git's to read.

import type { ObjectWriter } from './loose.ts';
import type { Repository } from './repository.ts';
import type { Items, TreeItem } from './tree-memory.ts';

/** The mode of a folder. */
export const FOLDER = 0o40000;
/** The mode of a submodule. */
export const SUBMODULE = 0o160000;

/** What git itself writes: folders, files, programs, links, submodules. */
const MODES: ReadonlySet<number> = new Set([FOLDER, 0o100644, 0o100755, 0o120000, SUBMODULE]);

/** The lines of a tree; undefined when it is missing, or not written the way git writes one. Throws GitError when git dies. */
export async function itemsOf(repo: Repository, tree: string): Promise<Items | undefined> {
  const known = repo.trees.get(tree);
  if (known !== undefined) return known;
  const found = await repo.objects.contents(tree);
  const items = found?.type === 'tree' && found.content !== undefined ? parseTree(found.content, tree.length / 2) : undefined;
  if (items !== undefined) repo.trees.set(tree, items);
  return items;
}

function parseTree(content: Buffer, idBytes: number): Items | undefined {
  const items = new Map<string, TreeItem>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space);
    const octal = content.toString('latin1', at, space);
    const [mode, name] = [Number.parseInt(octal, 8), content.toString('latin1', space + 1, end)];
    if (space === -1 || end === -1 || end + idBytes >= content.length || octal !== mode.toString(8) || !MODES.has(mode) || name === '' || items.has(name)) return undefined;
    items.set(name, { name, mode, id: content.toString('hex', end + 1, end + 1 + idBytes) });
    at = end + 1 + idBytes;
  }
  return items;
}

/** Writes a tree of these lines, in any order, and gives its id; undefined when git has to do it. What they name must be there: nobody looks. */
export async function writeTree(repo: Repository, o: { readonly items: Items; readonly write: ObjectWriter }): Promise<string | undefined> {
  const id = await o.write({ type: 'tree', content: treeContent(o.items) });
  if (id !== undefined) repo.trees.set(id, o.items);
  return id;
}

/** The bytes of a tree. Source: git's tree objects, sorted as if a folder's name ended in a slash. */
function treeContent(items: Items): Buffer {
  const keyed = [...items.values()].map((item) => ({ item, key: item.mode === FOLDER ? `${item.name}/` : item.name }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  const parts = keyed.map(({ item }) => ({ head: `${item.mode.toString(8)} ${item.name}\0`, id: item.id }));
  const content = Buffer.allocUnsafe(parts.reduce((size, { head, id }) => size + head.length + id.length / 2, 0));
  let at = 0;
  for (const { head, id } of parts) {
    at += content.write(head, at, 'latin1');
    at += content.write(id, at, 'hex');
  }
  return content;
}
