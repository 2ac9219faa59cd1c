// The dashboard in a real browser, for tests: opened with its link, watched for what goes wrong in it, checked by axe, pictured.

import { join } from 'node:path';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import type { Browser, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Link } from './page.ts';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
/** A text that does something where it is taken for markup. */
export const HOSTILE = '<img src=x onerror="document.title=\'hacked\'"><script>document.title="hacked"</script>';
/** Where pictures of the page go; nowhere unless it is set. */
const pictures = process.env['CHOO_TEST_PICTURES'];

/** Starts the browser. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env['CHOO_TEST_CHROMIUM'] ?? '/usr/bin/chromium', args: FLAGS });
}

/** A page with what went wrong in it. */
export async function openPage(browser: Browser, link: Link, o: Parameters<Browser['newPage']>[0] & { readonly hash?: string } = {}): Promise<{ readonly page: Page; readonly wrong: string[] }> {
  const { hash = '', ...more } = o;
  const page = await browser.newPage({ viewport: { width: 1300, height: 900 }, ...more });
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('dialog', (dialog) => { wrong.push(`a dialog: ${dialog.message()}`); });
  page.on('request', (asked) => { if (new URL(asked.url()).host !== `127.0.0.1:${link.port}` && !asked.url().startsWith('data:')) wrong.push(`asked ${asked.url()}`); });
  page.on('console', (said) => { if (said.text().includes('Content Security Policy')) wrong.push(said.text()); });
  await page.goto(`http://127.0.0.1:${link.port}/?token=${link.token}${hash}`);
  return { page, wrong };
}

/** Resolves when the list shows the unit in that state. */
export const state = (page: Page, unit: string, state: string): Promise<void> => page.locator(`.line[data-unit="${unit}"] .state.${state}`).waitFor();

/** A picture of the page, or of a part of it, where pictures are wanted. */
export async function picture(page: Page | Locator, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

/** Expects axe to find no serious fault. */
export async function expectReadable(page: Page): Promise<void> {
  // The page's own policy lets no script in; a test's comes through the debugger.
  await page.evaluate(axe.source);
  const faults = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { readonly axe: { run: () => Promise<{ violations: readonly { id: string; impact: string; nodes: readonly { html: string; failureSummary: string }[] }[] }> } };
    return (await axe.run()).violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`);
  });
  expect(faults).toEqual([]);
}
