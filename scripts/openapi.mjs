// Cuts the part that test/rig/github/ serves out of GitHub's published OpenAPI description: node scripts/openapi.mjs <path>,
// where <path> is generated/api.github.com.json of the package @octokit/openapi. Texts and examples are left out.

import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const from = process.argv[2];
if (from === undefined) throw new Error('usage: node scripts/openapi.mjs <path of api.github.com.json>');
const whole = JSON.parse(await readFile(from, 'utf8'));
const { name, version, license } = JSON.parse(await readFile(join(dirname(from), '..', 'package.json'), 'utf8'));
const to = join(import.meta.dirname, '..', 'test', 'rig', 'github', 'openapi.json');

const REPO = '/repos/{owner}/{repo}';
const OPERATIONS = [
  'GET /rate_limit',
  'GET /user',
  'POST /app/installations/{installation_id}/access_tokens',
  `GET ${REPO}`,
  `GET ${REPO}/installation`,
  `GET ${REPO}/pulls`,
  `POST ${REPO}/pulls`,
  `GET ${REPO}/pulls/{pull_number}`,
  `PATCH ${REPO}/pulls/{pull_number}`,
  `PUT ${REPO}/pulls/{pull_number}/merge`,
  `POST ${REPO}/pulls/{pull_number}/requested_reviewers`,
  `GET ${REPO}/pulls/{pull_number}/reviews`,
  `POST ${REPO}/pulls/{pull_number}/reviews`,
  `GET ${REPO}/pulls/{pull_number}/comments`,
  `POST ${REPO}/pulls/{pull_number}/comments/{comment_id}/replies`,
  `GET ${REPO}/issues/{issue_number}`,
  `GET ${REPO}/issues/{issue_number}/comments`,
  `POST ${REPO}/issues/{issue_number}/comments`,
  `PATCH ${REPO}/issues/comments/{comment_id}`,
  `POST ${REPO}/issues/{issue_number}/labels`,
  `GET ${REPO}/issues/{issue_number}/reactions`,
  `GET ${REPO}/commits/{ref}/check-runs`,
  `GET ${REPO}/commits/{ref}/status`,
  `GET ${REPO}/check-runs/{check_run_id}/annotations`,
  `GET ${REPO}/actions/jobs/{job_id}/logs`,
  `GET ${REPO}/rules/branches/{branch}`,
  `GET ${REPO}/branches/{branch}`,
  `GET ${REPO}/collaborators/{username}/permission`,
];

/** Keys of objects that describe and do not bind; under `properties` a key is a name, not one of these. */
const TALK = new Set(['description', 'summary', 'example', 'examples', 'tags', 'externalDocs', 'title', 'x-github', 'x-octokit', 'x-multi-segment', 'deprecated', 'x-githubEnterpriseOnly']);

function bare(value, isMapOfNames = false) {
  if (Array.isArray(value)) return value.map((item) => bare(item));
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(([key]) => isMapOfNames || !TALK.has(key));
  return Object.fromEntries(kept.map(([key, inner]) => [key, key === 'enum' && !isMapOfNames ? inner : bare(inner, !isMapOfNames && key === 'properties')]));
}

function refsIn(value) {
  if (value === null || typeof value !== 'object') return [];
  const own = typeof value.$ref === 'string' ? [value.$ref] : [];
  return [...own, ...Object.values(value).flatMap(refsIn)];
}

const at = (ref) => ref.slice(2).split('/').reduce((place, key) => place[key], whole);

const paths = {};
for (const operation of OPERATIONS) {
  const [method, path] = operation.split(' ');
  const found = whole.paths[path]?.[method.toLowerCase()];
  if (found === undefined) throw new Error(`${operation}: not in ${name} ${version}`);
  (paths[path] ??= {})[method.toLowerCase()] = bare(found);
}

// The closure of what they refer to, and the two forms of an error, which any operation may answer with.
const components = {};
const open = [...refsIn(paths), '#/components/schemas/basic-error', '#/components/schemas/validation-error'];
for (let ref = open.pop(); ref !== undefined; ref = open.pop()) {
  const [, , kind, key] = ref.split('/');
  if (components[kind]?.[key] !== undefined) continue;
  const found = bare(at(ref));
  (components[kind] ??= {})[key] = found;
  open.push(...refsIn(found));
}

/** One line a thing, so that a new version shows in a diff what it changed. */
const lines = (map) => Object.keys(map).toSorted().map((key) => `${JSON.stringify(key)}: ${JSON.stringify(map[key])}`).join(',\n');
await writeFile(to, `{
"from": ${JSON.stringify(`${name} ${version}, generated/api.github.com.json`)},
"licence": ${JSON.stringify(license)},
"reproduce": ${JSON.stringify(`npm pack ${name}@${version}, unpack it, node scripts/openapi.mjs package/generated/api.github.com.json`)},
"paths": {
${lines(paths)}
},
"components": {
${Object.keys(components).toSorted().map((kind) => `${JSON.stringify(kind)}: {\n${lines(components[kind])}\n}`).join(',\n')}
}
}
`);
console.log(`${to}: ${OPERATIONS.length} operations of ${name} ${version}`);
