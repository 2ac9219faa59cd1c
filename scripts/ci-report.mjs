// What the test programs of a CI run left in a folder: prints every failure again, where somebody reads first (the end of a
// long log), then `passed failed` as its last line. Each program leaves a JSON report in the shape of vitest's; a program
// without one leaves its output as <name>.log when it failed.
//
//     node scripts/ci-report.mjs <folder>

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Lines of one failure that are shown. */
const MOST_LINES = 60;
const [folder = '.'] = process.argv.slice(2);
const files = readdirSync(folder).toSorted();
let [passed, failed] = [0, 0];

for (const name of files.filter((file) => file.endsWith('.json'))) {
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  for (const file of report.testResults ?? []) {
    // A file that could not be loaded has a message and no tests.
    if (file.status === 'failed' && file.assertionResults.length === 0) {
      failed += 1;
      show(file.name, file.message);
    }
    for (const test of file.assertionResults.filter(({ status }) => status === 'failed')) show(`${file.name}: ${test.fullName}`, test.failureMessages.join('\n'));
  }
}
for (const name of files.filter((file) => file.endsWith('.log'))) show(name, readFileSync(join(folder, name), 'utf8'), 'end');
console.log(passed, failed);

function show(title, text, from = 'start') {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const part = from === 'end' ? lines.slice(-MOST_LINES) : lines.slice(0, MOST_LINES);
  console.log(`\nFAILED  ${title}\n${part.map((line) => `        ${line.slice(0, 400)}`).join('\n')}`);
}
