// One parser a test runner: the names in its report, checked against the counts that the same report gives. Pure; bounds are recognise.ts's.

/** The failing tests, or why they cannot be told. */
export type Recognised = { readonly failing: readonly string[] } | { readonly unclear: string };

const unclear = (why: string): Recognised => ({ unclear: why });

/** How many a summary says, by its word: `2 failed | 1 passed` → 2 for `failed`; 0 when the word is not there. */
function counted(summary: string, word: RegExp): number {
  return [...summary.matchAll(/(\d+) ([a-z]+)/g)].filter(([, , what]) => word.test(what ?? '')).reduce((n, [, count]) => n + Number(count), 0);
}

function lastMatch(lines: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (let i = lines.length - 1; i >= 0; i--) {
    const found = pattern.exec(lines[i] ?? '');
    if (found !== null) return found;
  }
  return undefined;
}

// ---------------------------------------------------------------- TAP

interface Level { points: number; plan: number | undefined; failing: string[] }

/** Test Anything Protocol, versions 12 to 14, subtests by four spaces. Todo and skipped tests are none that fail. */
export function tap(text: string): Recognised {
  const levels: Level[] = [];
  const level = (depth: number): Level => (levels[depth] ??= { points: 0, plan: undefined, failing: [] });
  let yaml: string | undefined;
  for (const line of text.split('\n')) {
    const [, indent = '', rest = ''] = /^( *)(.*)$/.exec(line) ?? [];
    if (yaml !== undefined) {
      if (line === `${yaml}...`) yaml = undefined;
      continue;
    }
    if (rest === '---') yaml = indent;
    if (rest.startsWith('Bail out!')) return unclear('it bailed out');
    if (indent.length % 4 !== 0) continue;
    const depth = indent.length / 4;
    const plan = /^1\.\.(\d+)(?:\s|$)/.exec(rest)?.[1];
    if (plan !== undefined) level(depth).plan = Number(plan);
    const point = /^(not )?ok\b(?: +\d+)?(?: *- )? *(.*)$/.exec(rest);
    if (point === null) continue;
    const below = levels.splice(depth + 1);
    const [children] = below;
    if (below.length > 1 || (children !== undefined && children.points !== children.plan)) return unclear('a subtest did not run to its end');
    const here = level(depth);
    here.points += 1;
    const [, name = '', directive] = /^(.*?)(?:(?:^|\s)#\s*(todo|skip)\b.*)?$/i.exec(point[2] ?? '') ?? [];
    if (directive !== undefined) continue;
    const failing = (children?.failing ?? []).map((child) => `${name} > ${child}`);
    here.failing.push(...(point[1] === undefined ? [] : [name]), ...failing);
  }
  const [top] = levels;
  if (yaml !== undefined || levels.length > 1 || top?.plan === undefined || top.plan !== top.points) return unclear('its plan and its results do not match');
  return { failing: top.failing };
}

// ---------------------------------------------------------------- JUnit XML

/** A report in JUnit's XML, printed among other output. */
export function junit(text: string): Recognised {
  const failing: string[] = [];
  let said = 0;
  let open = 0;
  let reports = 0;
  let test: { readonly name: string; failed: boolean } | undefined;
  // Content of CDATA and comments may look like anything.
  const xml = text.replaceAll(/<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->/g, '');
  for (const [, closing, tag, attributes = '', empty] of xml.matchAll(/<(\/?)(testsuites|testsuite|testcase|failure|error)\b((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/g)) {
    const of = (name: string): string => entity(new RegExp(String.raw`\s${name}\s*=\s*(?:"([^"]*)"|'([^']*)')`).exec(attributes)?.slice(1).find((v) => v !== undefined) ?? '');
    if (tag === 'testsuites') continue;
    if (tag === 'testsuite') {
      if (closing === '' && open === 0) said += Number(of('failures')) + Number(of('errors'));
      if (closing === '' && open === 0) reports += 1;
      if (empty === '') open += closing === '' ? 1 : -1;
    } else if (tag === 'testcase') {
      if (closing === '') test = { name: [of('classname'), of('name')].filter((part) => part !== '').join(' > '), failed: false };
      if ((closing !== '' || empty !== '') && test !== undefined) {
        if (test.failed) failing.push(test.name);
        test = undefined;
      }
    } else if (closing === '' && test !== undefined) {
      test.failed = true;
    }
  }
  if (reports === 0 || open !== 0 || test !== undefined) return unclear('there is no whole JUnit report in its output');
  if (failing.length !== said) return unclear(`its report counts ${said} failures, but has ${failing.length}`);
  return { failing };
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: '\'' };

function entity(text: string): string {
  return text.replaceAll(/&(lt|gt|amp|quot|apos);/g, (_whole, name: string) => ENTITIES[name] ?? '');
}

// ---------------------------------------------------------------- JavaScript

/** Vitest's default reporter. A suite that could not be loaded counts as a failing test. */
export function vitest(text: string): Recognised {
  const lines = text.split('\n');
  const files = lastMatch(lines, /^ *Test Files +(.+)$/)?.[1];
  const tests = lastMatch(lines, /^ *Tests +(.+)$/)?.[1];
  if (files === undefined || tests === undefined) return unclear('its summary is missing');
  if (lastMatch(lines, /^ *Errors +\d+ error/) !== undefined) return unclear('it met errors outside of any test');
  const suites: string[] = [];
  const found: string[] = [];
  let section: string[] | undefined;
  for (const line of lines) {
    const title = /^⎯+ Failed (Suites|Tests) \d+ ⎯+$/.exec(line)?.[1];
    if (title !== undefined) section = title === 'Suites' ? suites : found;
    const name = /^ FAIL {2}(.+)$/.exec(line)?.[1];
    if (name !== undefined) section?.push(name.replace(/ \[ .* \]$/, ''));
  }
  const failed = counted(tests, /^failed$/);
  const failing = found.length === failed ? found : [...new Set(found)];
  if (failing.length !== failed) return unclear(`its summary counts ${failed} failed tests, but names ${failing.length}`);
  if (counted(files, /^failed$/) !== new Set([...suites, ...failing].map((name) => name.split(' > ')[0])).size) return unclear('not every failed file is named');
  return { failing: [...suites, ...failing] };
}

/** Jest's default reporter. A suite that could not be loaded counts as a failing test. */
export function jest(text: string): Recognised {
  const all = text.split('\n');
  const suites = lastMatch(all, /^Test Suites: +(.+)$/)?.[1];
  const tests = lastMatch(all, /^Tests: +(.+)$/)?.[1];
  if (suites === undefined || tests === undefined) return unclear('its summary is missing');
  if (/ of \d+ total/.test(suites)) return unclear('it did not run every suite');
  // After many suites everything is told once more.
  const again = all.lastIndexOf('Summary of all failing tests');
  const failing: string[] = [];
  const files = new Set<string>();
  let file: string | undefined;
  let unloaded = 0;
  for (const line of all.slice(again + 1)) {
    const [, verdict, path] = /^(PASS|FAIL) (.+?)(?: \([\d.]+ m?s\))?$/.exec(line) ?? [];
    if (verdict !== undefined) file = verdict === 'FAIL' ? path : undefined;
    const name = /^ {2}● (.+)$/.exec(line)?.[1];
    if (file === undefined || name === undefined || name === 'Console') continue;
    files.add(file);
    if (name === 'Test suite failed to run') unloaded += 1;
    failing.push(`${file} > ${name}`);
  }
  const failed = counted(tests, /^failed$/);
  if (failing.length - unloaded !== failed) return unclear(`its summary counts ${failed} failed tests, but names ${failing.length - unloaded}`);
  if (files.size !== counted(suites, /^failed$/)) return unclear('not every failed suite is named');
  return { failing };
}

// ---------------------------------------------------------------- others

/** pytest, with the short summary that it prints by default. */
export function pytest(text: string): Recognised {
  const lines = text.split('\n');
  const summary = lastMatch(lines, /^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+) in \d[\d.]*s(?: \([\d:, a-z]+\))?(?: =+)?$/)?.[1];
  const start = lines.findLastIndex((line) => /^=+ short test summary info =+$/.test(line));
  if (summary === undefined || start < 0) return unclear('its summary is missing');
  const told = lines.slice(start + 1);
  const early = told.find((line) => /^!{3,} .* !{3,}$/.test(line));
  if (early !== undefined) return unclear(`it ended early: ${early.replaceAll('!', '').trim()}`);
  const failing = told.flatMap((line) => {
    const rest = /^(?:FAILED|ERROR) (.+)$/.exec(line)?.[1];
    return rest === undefined ? [] : [nodeId(rest)];
  });
  const failed = counted(summary, /^(failed|errors?)$/);
  return failing.length === failed ? { failing } : unclear(`its summary counts ${failed} failures, but names ${failing.length}`);
}

/** What stands before the reason; the parameters of a test may hold what looks like one. */
function nodeId(text: string): string {
  const parameters = text.indexOf('[');
  const end = text.indexOf(' - ');
  if (end < 0 || parameters < 0 || parameters > end) return end < 0 ? text : text.slice(0, end);
  const closed = text.indexOf('] - ', parameters);
  return closed < 0 ? text : text.slice(0, closed + 1);
}

/** `go test`, as text. A package that cannot be built counts as a failing test. */
export function goTest(text: string): Recognised {
  const failing: string[] = [];
  let pending: string[] = [];
  let packages = 0;
  for (const line of text.split('\n')) {
    if (/^(panic: |fatal error: |signal: )/.test(line)) return unclear('it panicked, and tests after that did not run');
    const name = /^ *--- FAIL: (.+) \([\d.]+s\)$/.exec(line)?.[1];
    if (name !== undefined) pending.push(name);
    const [, verdict, name2 = '', how = ''] = /^(ok {2}|FAIL)\t(\S+)(?:[ \t](.*))?$/.exec(line) ?? [];
    if (verdict === undefined) continue;
    packages += 1;
    const broken = /^\[(build|setup) failed\]/.test(how);
    if (verdict === 'FAIL' && !broken && pending.length === 0) return unclear(`${name2} failed without naming a test`);
    failing.push(...(broken ? [`${name2} ${how}`] : pending.map((test) => `${name2} > ${test}`)));
    pending = [];
  }
  return packages === 0 || pending.length > 0 ? unclear('the results of a package are missing') : { failing };
}

/** `cargo test`. Only with --no-fail-fast does it run every target whatever fails. */
export function cargoTest(text: string): Recognised {
  const failing: string[] = [];
  let target = '';
  let list: string[] = [];
  let targets = 0;
  for (const line of text.split('\n')) {
    const [, binary, doc] = /^ +(?:Running (?:unittests )?(\S+) \(.*\)|Doc-tests (\S+))$/.exec(line) ?? [];
    if (binary !== undefined || doc !== undefined) target = binary ?? `${doc} (doc)`;
    if (line.startsWith('error: could not compile ')) return unclear('it could not compile');
    if (line === 'failures:') list = [];
    const name = /^ {4}(\S.*)$/.exec(line)?.[1];
    if (name !== undefined) list.push(name);
    const failed = /^test result: (?:ok|FAILED)\. \d+ passed; (\d+) failed;/.exec(line)?.[1];
    if (failed === undefined) continue;
    if (Number(failed) > 0 && list.length !== Number(failed)) return unclear(`its summary counts ${failed} failed tests, but names ${list.length}`);
    // Lines move without the test of a document being another one.
    if (Number(failed) > 0) failing.push(...list.map((test) => `${target} > ${test.replace(/ \(line \d+\)$/, '')}`));
    targets += Number(failed) > 0 ? 1 : 0;
    list = [];
  }
  const said = /^error: (\d+) targets? failed:$/m.exec(text)?.[1];
  if (said === undefined) return unclear('cargo stops at the first target that fails, unless it is run with --no-fail-fast');
  return Number(said) === targets ? { failing } : unclear(`${said} targets failed, but the results of ${targets} are there`);
}
