// The import table: which folder may know which, and no cycles. The table here is the one that ARCHITECTURE.md explains.

import { posix } from 'node:path';
import { importsOf, problemAt, type Problem, type Source } from './source.ts';

interface Border {
  /** The files it is for: a folder (ends in `/`) or a file; the first that fits counts. */
  readonly of: string;
  /** Folders and files of src/ it may import, besides itself; `*` is all. */
  readonly may: readonly string[];
  /** Packages and `node:` modules it may import; `node:` is all of Node. */
  readonly packages: readonly string[];
  readonly because: string;
}

/** Where arrows may point. They point to core/; only main.ts and commands/ know everyone. */
const BORDERS: readonly Border[] = [
  { of: 'src/core/', may: [], packages: [], because: 'core/ is pure and imports only itself; move what it needs into core/, or hand it in as data' },
  { of: 'src/discovery/', may: ['src/core/'], packages: ['yaml', 'zod'], because: 'discovery/ turns texts into a Plan and is pure; reading belongs to an adapter' },
  { of: 'src/show/tui/', may: ['src/core/', 'src/show/'], packages: ['ink', 'react', 'string-width'], because: 'the screen is an observer: it only looks, and only draw.ts knows Ink' },
  { of: 'src/show/', may: ['src/core/'], packages: ['node:util', 'string-width'], because: 'observers only look at State; what a person wants enters through the inbox as an event' },
  { of: 'src/forge.ts', may: ['src/core/'], packages: [], because: 'forge.ts holds interfaces only' },
  { of: 'src/world.ts', may: ['src/core/', 'src/forge.ts'], packages: [], because: 'world.ts holds interfaces only' },
  { of: 'src/failpoint.ts', may: [], packages: [], because: 'a failpoint only ends the process' },
  { of: 'src/version.ts', may: [], packages: [], because: 'version.ts is a constant' },
  ...['src/agents/acp-program.ts', 'src/agents/acp-session.ts', 'src/agents/acp-paths.ts'].map((of) => ({
    of, may: ['src/agents/', 'src/core/', 'src/adapters/clock.ts', 'src/adapters/errno.ts', 'src/version.ts'], packages: ['node:', '@agentclientprotocol/sdk'], because: 'a program of its own that talks to an agent',
  })),
  { of: 'src/agents/script-program.ts', may: ['src/agents/', 'src/core/', 'src/discovery/', 'src/adapters/clock.ts'], packages: ['node:', 'yaml'], because: 'a program of its own that plays a scenario' },
  { of: 'src/agents/', may: ['src/core/', 'src/world.ts', 'src/adapters/clock.ts'], packages: ['node:'], because: 'an agent is a session machine that knows no other part' },
  { of: 'src/model-server/', may: ['src/core/', 'src/world.ts'], packages: ['node:http', 'node:net'], because: 'the scripted model server knows no agent\'s machine and no engine; it is only spoken to over HTTP' },
  { of: 'src/worker/', may: ['src/core/', 'src/world.ts', 'src/forge.ts', 'src/failpoint.ts', 'src/agents/', 'src/discovery/frontmatter.ts'], packages: ['picomatch', 'node:path'], because: 'a worker asks the World; it touches no process, file or git itself' },
  { of: 'src/telemetry/', may: ['src/core/'], packages: [], because: 'telemetry/ makes spans and measurements of events and is pure; sending them belongs to otlp/' },
  {
    of: 'src/otlp/', may: ['src/core/', 'src/telemetry/', 'src/world.ts', 'src/version.ts', 'src/adapters/journal.ts'],
    packages: ['node:', '@opentelemetry/api', '@opentelemetry/resources', '@opentelemetry/sdk-trace-base', '@opentelemetry/sdk-metrics', '@opentelemetry/exporter-trace-otlp-proto', '@opentelemetry/exporter-metrics-otlp-proto'],
    because: 'otlp/ sends what telemetry/ makes; only it knows OpenTelemetry',
  },
  { of: 'src/report/', may: ['src/core/', 'src/telemetry/', 'src/show/waiting.ts', 'src/show/paint.ts'], packages: [], because: 'report/ is events in, data or text out; reading the journal belongs to commands/' },
  { of: 'src/escalation/', may: ['src/core/', 'src/world.ts', 'src/forge.ts'], packages: ['node:'], because: 'an escalator tells a person and knows no other part' },
  {
    of: 'src/adapters/github/', may: ['src/core/', 'src/world.ts', 'src/forge.ts', 'src/version.ts', 'src/adapters/'],
    packages: ['node:', '@octokit/core', '@octokit/plugin-retry', '@octokit/plugin-throttling', '@octokit/auth-app'], because: 'the GitHub adapter fulfils forge.ts; only it knows Octokit',
  },
  { of: 'src/adapters/', may: ['src/core/', 'src/world.ts', 'src/failpoint.ts', 'src/version.ts'], packages: ['node:', 'picomatch'], because: 'adapters fulfil world.ts and know nothing of the engine' },
  { of: 'src/inbox.ts', may: ['src/core/', 'src/world.ts'], packages: [], because: 'the inbox only holds what arrives' },
  { of: 'src/orchestrator.ts', may: ['src/core/', 'src/world.ts', 'src/worker/', 'src/inbox.ts'], packages: [], because: 'the loop sees the outside only through the World it is given' },
  { of: 'src/opening/', may: ['src/core/', 'src/world.ts', 'src/forge.ts', 'src/failpoint.ts', 'src/discovery/', 'src/worker/', 'src/agents/', 'src/adapters/', 'src/escalation/', 'src/orchestrator.ts'], packages: ['node:', 'picomatch'], because: 'opening/ composes a session; it shows nothing and knows no command' },
  { of: 'src/mcp/permissions.ts', may: [], packages: [], because: 'the command line loads it at every start' },
  {
    of: 'src/mcp/', may: ['src/core/', 'src/world.ts', 'src/version.ts', 'src/discovery/', 'src/adapters/', 'src/opening/', 'src/show/', 'src/commands/'],
    packages: ['node:', 'zod', '@modelcontextprotocol/sdk/server/mcp.js', '@modelcontextprotocol/sdk/server/stdio.js', '@modelcontextprotocol/sdk/types.js'], because: 'a tool does what a command does and gives it as data; only mcp/ knows the SDK',
  },
  {
    of: 'src/web/', may: ['src/core/', 'src/telemetry/', 'src/world.ts', 'src/report/outline.ts', 'src/adapters/', ...['changes', 'growing', 'lifeline', 'live-log', 'log-pieces'].map((name) => `src/commands/${name}.ts`)], packages: ['node:'],
    because: 'the dashboard\'s server looks at journals and logs; what people ask for goes out through the functions it is given',
  },
  {
    of: 'web/', may: ['src/core/', 'src/web/protocol.ts', 'src/report/bars.ts', 'src/report/data.ts', 'src/report/scale.ts'], packages: ['preact', 'preact/hooks', 'preact/compat', '@dagrejs/dagre', '@tanstack/virtual-core'],
    because: 'the page knows what the server tells it; of src/ it imports types and what draws a timeline',
  },
  { of: 'src/index.ts', may: ['*'], packages: [], because: 'index.ts only names what the library shows' },
  { of: 'src/entry.ts', may: ['src/main.ts'], packages: ['node:'], because: 'entry.ts must load nothing: start-up time' },
  { of: 'src/main.ts', may: ['*'], packages: ['node:', 'commander'], because: 'use what exists' },
  { of: 'src/commands/', may: ['*'], packages: ['node:', 'commander', 'yaml', 'zod', 'picomatch'], because: 'use what exists' },
];

/** Imports that cross a border, and relative ones without the ending `.ts`. */
export function importProblems(source: Source): readonly Problem[] {
  if (!source.path.startsWith('src/') && !source.path.startsWith('web/')) return [];
  const border = BORDERS.find(({ of }) => fits(of, source.path));
  if (border === undefined) {
    return [{ path: source.path, line: 1, what: 'is in no folder of the house', fix: 'put it in one of ARCHITECTURE.md, or add a border in test/rig/tidy/imports.ts with an ADR' }];
  }
  return importsOf(source).flatMap(({ from, at }) => {
    if (from.startsWith('.') && !/\.tsx?$/.test(from)) {
      return [problemAt(source, at, { what: `imports ${from}`, fix: 'name the file with its ending .ts' })];
    }
    return allowed(border, { from, path: source.path }) ? [] : [problemAt(source, at, { what: `imports ${from}`, fix: border.because })];
  });
}

/** Cycles among the given files by their relative imports (types too), each told once. */
export function cycleProblems(sources: readonly Source[]): readonly Problem[] {
  const graph = new Map(sources.map((source) => [source.path, importsOf(source).map(({ from }) => resolve(source.path, from))]));
  const state = new Map<string, 'open' | 'done'>();
  const problems: Problem[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done' || !graph.has(path)) return;
    if (state.get(path) === 'open') {
      const cycle = [...trail.slice(trail.indexOf(path)), path].join(' → ');
      problems.push({ path, line: 1, what: `imports itself: ${cycle}`, fix: 'move what both need into a third file' });
      return;
    }
    state.set(path, 'open');
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    state.set(path, 'done');
  };
  for (const path of graph.keys()) visit(path, []);
  return problems;
}

function allowed(border: Border, edge: { readonly from: string; readonly path: string }): boolean {
  if (!edge.from.startsWith('.')) {
    return border.packages.some((name) => edge.from === name || (name === 'node:' && edge.from.startsWith(name)));
  }
  const target = resolve(edge.path, edge.from);
  const own = border.of.endsWith('/') ? [border.of] : [];
  return border.may.includes('*') || [...own, ...border.may].some((place) => fits(place, target));
}

function fits(place: string, path: string): boolean {
  return place.endsWith('/') ? path.startsWith(place) : path === place;
}

function resolve(path: string, from: string): string {
  return from.startsWith('.') ? posix.join(posix.dirname(path), from) : from;
}
