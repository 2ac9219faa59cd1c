// The repository that `choo demo` makes: a small inn in shell scripts, its specs, and what an agent does for each task. Text
// only; who plays it is configured elsewhere.

/** One thing that the agent does, as the scripted agent reads it. */
export type DemoStep =
  | { readonly say: string }
  | { readonly pause: string }
  | { readonly write: Readonly<Record<string, string>> }
  | { readonly run: string };

/** One task: what its file says and what the agent does, attempt by attempt. */
interface DemoTask {
  readonly title: string;
  readonly check: string;
  readonly attempts: readonly (readonly DemoStep[])[];
}

interface DemoUnit {
  readonly about: string;
  readonly needs: readonly string[];
  readonly tasks: readonly DemoTask[];
}

const README = `# The inn

A menu, its prices, and a way to order.

## Prices

(nobody knows)

## Search

(nobody knows)
`;

const TESTS = `set -eu
for test in tests/*.sh; do
  [ "$test" = tests/all.sh ] || { sh "$test"; echo "ok: $test"; }
done
`;

const DISHES = 'soup\nbread\nstew\ncider\n';
const PRICES = 'soup 4\nbread 1\nstew 9\ncider 3\n';

/** A line of the README put in the place of another, the way a person would edit it. */
function edit(section: string, text: string): DemoStep {
  return { run: `awk -v s="## ${section}" '$0 == s { print; getline; print; getline; print "${text}"; next } { print }' README.md > README.new && mv README.new README.md` };
}

const say = (text: string): DemoStep => ({ say: text });
const pause = (ms: number): DemoStep => ({ pause: `${ms}ms` });
const write = (files: Readonly<Record<string, string>>): DemoStep => ({ write: files });

const UNITS: Readonly<Record<string, DemoUnit>> = {
  dishes: {
    about: 'What the inn serves. Everything else builds on it.', needs: [],
    tasks: [
      {
        title: 'Write down the dishes', check: 'test "$(wc -l < dishes.txt)" -eq 4',
        attempts: [[say('four dishes should do'), pause(500), write({ 'dishes.txt': DISHES })]],
      },
      {
        title: 'Print the menu', check: 'sh menu.sh | grep -qx "soup"',
        attempts: [[say('a menu is a list'), pause(400), write({ 'menu.sh': 'cat dishes.txt\n', 'tests/menu.sh': 'sh menu.sh | grep -qx stew\n' })]],
      },
    ],
  },
  prices: {
    about: 'Every dish has a price. Says so in the README, as `search` does in another place of the same file.', needs: ['dishes'],
    tasks: [{
      title: 'Give every dish a price', check: 'sh price.sh stew | grep -qx 9 && grep -q "sh price.sh" README.md',
      attempts: [[say('asking the cook'), pause(700), write({ 'prices.txt': PRICES, 'price.sh': 'awk -v d="$1" \'$1 == d { print $2 }\' prices.txt\n', 'tests/price.sh': 'test "$(sh price.sh soup)" = 4\n' }), edit('Prices', 'sh price.sh DISH tells what a dish costs.')]],
    }],
  },
  search: {
    about: 'Finds dishes by a part of their name.', needs: ['dishes'],
    tasks: [{
      title: 'Find a dish', check: 'sh search.sh ste | grep -qx stew && grep -q "sh search.sh" README.md',
      attempts: [[say('grep will do'), pause(700), write({ 'search.sh': 'grep -- "$1" dishes.txt\n', 'tests/search.sh': 'test "$(sh search.sh cid)" = cider\n' }), edit('Search', 'sh search.sh PART finds a dish.')]],
    }],
  },
  order: {
    about: 'Takes orders. Its agent gets the first attempt wrong and is told so.', needs: ['dishes'],
    tasks: [{
      title: 'Refuse what is not on the menu', check: 'sh order.sh soup | grep -qx "one soup" && ! sh order.sh caviar',
      attempts: [
        [say('taking every order'), pause(600), write({ 'order.sh': 'echo "one $1"\n' })],
        [say('the check says caviar must be refused'), pause(600), write({ 'order.sh': 'grep -qx -- "$1" dishes.txt || exit 1\necho "one $1"\n', 'tests/order.sh': '! sh order.sh caviar\n' })],
      ],
    }],
  },
  bill: {
    about: 'Adds up what was ordered.', needs: ['prices', 'order'],
    tasks: [{
      title: 'Add up an order', check: 'test "$(sh bill.sh soup cider)" = 7',
      attempts: [[say('prices and orders are there'), pause(600), write({ 'bill.sh': 'sum=0\nfor dish in "$@"; do\n  sh order.sh "$dish" > /dev/null || exit 1\n  sum=$((sum + $(sh price.sh "$dish")))\ndone\necho "$sum"\n', 'tests/bill.sh': 'test "$(sh bill.sh stew bread)" = 10\n' })]],
    }],
  },
  welcome: {
    about: 'Opens the inn. Needs everything else.', needs: ['search', 'bill'],
    tasks: [{
      title: 'Welcome the guest', check: 'sh inn.sh | grep -q "a stew is 9"',
      attempts: [[say('opening the doors'), pause(500), write({ 'inn.sh': 'echo "welcome; a $(sh search.sh ste) is $(sh bill.sh stew)"\n', 'tests/inn.sh': 'sh inn.sh | grep -q welcome\n' })]],
    }],
  },
};

/** What is done in each attempt at each task, in the order of the plan. */
export function demoParts(): readonly { readonly unit: string; readonly task: number; readonly check: string; readonly attempts: readonly (readonly DemoStep[])[] }[] {
  return Object.entries(UNITS).flatMap(([unit, { tasks }]) => tasks.map(({ check, attempts }, i) => ({ unit, task: i + 1, check, attempts })));
}

/** The files by which the scripted agent works: configuration and scenario. JSON is YAML, so neither needs a writer. */
export function scriptedFiles(): Readonly<Record<string, string>> {
  const scenario: Record<string, Record<string, unknown>> = {};
  for (const { unit, task, attempts } of demoParts()) scenario[unit] = { ...scenario[unit], [String(task)]: attempts };
  return {
    '.choo.yaml': 'provider:\n  type: script\n  providers:\n    script:\n      file: scenario.yaml\nbaseline_checks:\n  - sh tests/all.sh\n',
    'scenario.yaml': `${JSON.stringify(scenario, undefined, 1)}\n`,
  };
}

/** The files by which a real agent works: its configuration. `command`: undefined is its usual name on PATH. */
export function agentFiles(o: { readonly agent: string; readonly command: string | undefined; readonly settings: Readonly<Record<string, unknown>> }): Readonly<Record<string, string>> {
  const config = {
    provider: { type: o.agent, ...(o.command === undefined ? {} : { providers: { [o.agent]: { command: o.command } } }) },
    ...(Object.keys(o.settings).length === 0 ? {} : { agents: { [o.agent]: o.settings } }),
    baseline_checks: ['sh tests/all.sh'],
  };
  return { '.choo.yaml': `${JSON.stringify(config, undefined, 2)}\n` };
}

/** All other files of the repository, by path. */
export function demoFiles(): Readonly<Record<string, string>> {
  const files: Record<string, string> = { 'README.md': README, 'tests/all.sh': TESTS, 'tests/base.sh': 'test -f README.md\n' };
  for (const [id, unit] of Object.entries(UNITS)) {
    const dir = `specs/tasks/${id}`;
    files[`${dir}/IMPLEMENTATION_PLAN.md`] = `---\ndepends_on: [${unit.needs.join(', ')}]\n---\n# ${id}\n\n${unit.about}\n`;
    unit.tasks.forEach((task, i) => {
      const number = String(i + 1).padStart(2, '0');
      files[`${dir}/${number}-${task.title.toLowerCase().replaceAll(/[^a-z]+/g, '-')}.md`] = `---\ntask: ${i + 1}\nbackpressure: ${JSON.stringify(task.check)}\n---\n# ${task.title}\n`;
    });
  }
  return files;
}
