// Failing tests by name, from what the runners print: true output, shortened; and output that ended early, lies or says too little.

import { describe, expect, it } from 'vitest';
import { recognise } from '../../../src/core/recognise.ts';
import type { Recogniser } from '../../../src/core/recognise.ts';

const read = (by: Recogniser, text: string): unknown => recognise(by, { text, whole: true });

const TAP = `TAP version 13
# Subtest: outer
    # Subtest: good
    ok 1 - good
      ---
      duration_ms: 0.868717
      ...
    # Subtest: bad \\# one
    not ok 2 - bad \\# one
      ---
      error: '1 == 2'
      stack: |-
        not ok 3 - no test, but part of a stack
      ...
    1..2
not ok 1 - outer
  ---
  failureType: 'subtestsFailed'
  ...
not ok 2 - top # TODO
ok 3 - skipped # SKIP
not ok 4 - flat
1..4
# tests 5
`;
const VITEST = `
 ❯ a.test.ts (5 tests | 3 failed | 1 skipped) 11ms
     ✓ good 2ms
     × bad > one 6ms

⎯⎯⎯⎯⎯⎯ Failed Suites 2 ⎯⎯⎯⎯⎯⎯⎯

 FAIL  a.test.ts > hooked
Error: hook
 FAIL  b.test.ts [ b.test.ts ]
Error: Cannot find package 'nowhere-at-all' imported from /tmp/b.test.ts

⎯⎯⎯⎯⎯⎯⎯ Failed Tests 3 ⎯⎯⎯⎯⎯⎯⎯

 FAIL  a.test.ts > outer > bad > one
AssertionError: expected 1 to be 2 // Object.is equality

 FAIL  a.test.ts > outer > same
 FAIL  a.test.ts > outer > same
Error: same

 Test Files  2 failed (2)
      Tests  3 failed | 1 passed | 1 skipped (5)
   Start at  19:17:48
`;
const JEST = `FAIL ./a.test.js (5.1 s)
  ● Console

    console.log
      x

  ● outer › bad › one

    expect(received).toBe(expected) // Object.is equality

  ● outer › same

    same ● trick

FAIL ./b.test.js
  ● Test suite failed to run

    Cannot find module 'nowhere-at-all' from 'b.test.js'

PASS ./c.test.js

Test Suites: 2 failed, 1 passed, 3 total
Tests:       2 failed, 2 passed, 4 total
Ran all test suites.
`;
const PYTEST = `test_a.py:7: ValueError
=========================== short test summary info ============================
FAILED test_a.py::test_bad - AssertionError: a - b
FAILED test_a.py::test_p[a - b] - AssertionError: assert 'a - b' == 'no'
FAILED test_a.py::test_p[c]d] - AssertionError: assert 'c]d' == 'no'
FAILED test_a.py::TestC::test_m - ValueError: multi
ERROR test_a.py::test_e - RuntimeError: boom
===================== 4 failed, 1 passed, 1 error in 2.60s =====================
`;
const GO = `--- FAIL: TestA (0.00s)
    a_test.go:6: bad
    --- FAIL: TestA/sub_case (0.00s)
FAIL
FAIL\texample.com/m/a\t0.003s
ok  \texample.com/m/b\t0.002s
?   \texample.com/m/c\t[no test files]
# example.com/m/d
d/d.go:3:1: syntax error
FAIL\texample.com/m/d [build failed]
FAIL
`;
const CARGO = `     Running unittests src/lib.rs (target/debug/deps/foo-28a01a7770d7ff1d)

running 2 tests
test tests::good ... ok
test tests::bad ... FAILED

failures:

---- tests::bad stdout ----
test fake ... FAILED

failures:
    tests::bad

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.44s

error: test failed, to rerun pass \`--lib\`
   Doc-tests foo

running 1 test
test src/lib.rs - add (line 1) ... FAILED

failures:

---- src/lib.rs - add (line 1) stdout ----
Test executable failed (exit status: 101).

failures:
    src/lib.rs - add (line 1)

test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.76s

error: doctest failed, to rerun pass \`--doc\`
error: 2 targets failed:
    \`--lib\`
    \`--doc\`
`;
const JUNIT = `before <testsuites><testsuite name="a" tests="3" failures="1" errors="1">
<testcase classname="A" name="good"/><testcase classname="A" name="a &lt; b"><failure message="x">no</failure></testcase>
<testcase name='err'><error/><system-out><![CDATA[<testcase name="fake"><failure/></testcase>]]></system-out></testcase>
</testsuite></testsuites>`;

describe('failing tests are told by name', () => {
  it.each<[Recogniser, string, readonly string[]]>([
    ['tap', TAP, ['outer', 'outer > bad \\# one', 'flat']],
    ['vitest', VITEST, ['a.test.ts > hooked', 'b.test.ts', 'a.test.ts > outer > bad > one', 'a.test.ts > outer > same', 'a.test.ts > outer > same #2']],
    ['jest', JEST, ['./a.test.js > outer › bad › one', './a.test.js > outer › same', './b.test.js > Test suite failed to run']],
    ['pytest', PYTEST, ['test_a.py::test_bad', 'test_a.py::test_p[a - b]', 'test_a.py::test_p[c]d]', 'test_a.py::TestC::test_m', 'test_a.py::test_e']],
    ['go-test', GO, ['example.com/m/a > TestA', 'example.com/m/a > TestA/sub_case', 'example.com/m/d [build failed]']],
    ['cargo-test', CARGO, ['src/lib.rs > tests::bad', 'foo (doc) > src/lib.rs - add']],
    ['junit', JUNIT, ['A > a < b', 'err']],
  ])('of %s', (by, text, failing) => {
    expect(read(by, text)).toEqual({ failing });
    expect(read(by, `npm run something\n${text.replaceAll('\n', '\r\n')}`)).toEqual({ failing });
    expect(recognise(by, { text, whole: false })).toEqual({ unclear: 'its output is longer than limits.output' });
    expect(recognise(by, undefined)).toHaveProperty('unclear');
  });

  it.each<[Recogniser, string]>([['tap', TAP], ['vitest', VITEST], ['jest', JEST], ['pytest', PYTEST], ['go-test', GO], ['cargo-test', CARGO], ['junit', JUNIT]])('of %s only when the report is whole: no beginning of it tells other tests', (by, text) => {
    const whole = read(by, text);
    for (let end = 0; end < text.length; end += 7) {
      const part = read(by, text.slice(0, end));
      // A package of Go is told when it is over.
      if (by === 'go-test' || 'unclear' in (part as object)) continue;
      expect(part, `after ${end} characters`).toEqual(whole);
    }
  });
});

describe('what cannot be told is unclear', () => {
  it.each<[string, Recogniser, string]>([
    ['nothing printed', 'tap', ''], ['all passed', 'tap', 'ok 1\n1..1\n'], ['a bail-out', 'tap', 'not ok 1 - a\nBail out!\n1..1\n'], ['fewer tests than planned', 'tap', 'not ok 1 - a\n1..2\n'],
    ['errors outside of tests', 'vitest', VITEST.replace('   Start at', '     Errors  1 error\n   Start at')], ['a count that does not match', 'vitest', VITEST.replace('3 failed | 1 passed', '4 failed | 1 passed')],
    ['a run that bailed', 'jest', JEST.replace('1 passed, 3 total', '1 of 3 total')], ['a printed look-alike', 'jest', JEST.replace('    same ● trick', '  ● trick')],
    ['a collection that failed', 'pytest', PYTEST.replace('\n===================== 4', '\n!!!!! Interrupted: 1 error during collection !!!!!\n===================== 4')], ['the first failure only', 'pytest', PYTEST.replace('\n===================== 4', '\n!!!!! stopping after 1 failures !!!!!\n===================== 4')],
    ['a panic', 'go-test', `--- FAIL: TestA (0.00s)\npanic: boom [recovered]\nFAIL\tm\t0.1s\n`], ['a package without a failing test', 'go-test', 'FAIL\tm\t0.1s\n'], ['no package', 'go-test', '--- FAIL: TestA (0.00s)\n'],
    ['targets that did not run', 'cargo-test', CARGO.replace(/error: 2 targets[\s\S]*/, '')], ['code that does not compile', 'cargo-test', 'error: could not compile `foo` (lib) due to 1 previous error\n'],
    ['half a report', 'junit', JUNIT.slice(0, -30)], ['a count that does not match', 'junit', JUNIT.replace('failures="1"', 'failures="2"')],
    ['too many', 'tap', `${Array.from({ length: 2001 }, (_, i) => `not ok ${i + 1} - t${i}`).join('\n')}\n1..2001\n`], ['a name too long', 'tap', `not ok 1 - ${'x'.repeat(600)}\n1..1\n`],
  ])('%s (%s)', (_what, by, text) => {
    expect(read(by, text)).toHaveProperty('unclear');
  });
});
